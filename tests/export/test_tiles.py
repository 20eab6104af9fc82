"""Overlapping tiles: a network that copies gives the picture back, and one that paints is blended without seams."""

from typing import Any

import numpy as np
import onnxruntime
import pytest

from adexport.scoring import Scoring
from adscore.spec import ImageSpec
from adtrain.quiet import import_tensorflow

pytestmark = pytest.mark.slow

TILE = 8


def tiles_model(body: Any) -> Any:
    import_tensorflow()
    import keras

    image = keras.Input((TILE, TILE, 3))
    return keras.Model(image, keras.layers.Lambda(body, output_shape=(TILE, TILE, 3))(image))


def pictures(number: int = 3) -> Any:
    return np.random.default_rng(0).random((number, 24, 16, 3), np.float32)


def joined(body: Any, images: Any) -> tuple[Any, Any]:
    model = tiles_model(body)
    import tensorflow as tf

    from adexport.tiles import by_tiles

    reconstruction, contrast = by_tiles(model, tf.constant(images), TILE)
    return reconstruction.numpy(), contrast.numpy()


def test_a_copying_network_gives_the_picture_back() -> None:
    images = pictures()
    reconstruction, contrast = joined(lambda tiles: tiles, images)
    assert reconstruction == pytest.approx(images, abs=1e-6)
    assert contrast.shape == (3, 24, 16)
    # Pixels uniform in 0..1 have a variance of 1/12.
    assert contrast.mean() == pytest.approx(1 / 12, rel=0.1)


def test_a_network_that_paints_one_grey_leaves_no_seam_even_at_the_border() -> None:
    reconstruction, _ = joined(lambda tiles: tiles * 0 + 0.5, pictures())
    assert reconstruction == pytest.approx(np.full((3, 24, 16, 3), 0.5), abs=1e-6)


def test_a_flat_picture_has_no_contrast() -> None:
    _, contrast = joined(lambda tiles: tiles, np.full((1, 24, 16, 3), 0.7, np.float32))
    assert contrast == pytest.approx(np.zeros((1, 24, 16)), abs=1e-9)


def test_the_exported_graph_takes_whole_pictures_at_any_batch_size() -> None:
    import_tensorflow()
    import keras

    from adexport.graph import detector_function, to_onnx
    from adtrain.model import build_autoencoder

    keras.utils.set_random_seed(0)
    autoencoder = build_autoencoder(TILE, TILE, 3, filters=(4, 8), latent=4, decoder="narrow").autoencoder
    function = detector_function(autoencoder, ImageSpec(16, 24, "RGB"), Scoring("max", 1.0, TILE))
    model = to_onnx(function)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert [(node.name, node.shape) for node in session.get_outputs()] == [
        ("score", ["batch"]), ("anomaly_map", ["batch", 24, 16]), ("reconstruction", ["batch", 24, 16, 3]),
    ]  # fmt: skip
    images = (pictures(5) * 255).astype(np.uint8)
    together = session.run(None, {"image": images})
    for index in range(5):
        alone = session.run(None, {"image": images[index : index + 1]})
        for one, many in zip(alone, together, strict=True):
            assert one[0] == pytest.approx(many[index], rel=1e-5, abs=1e-7)
    assert function(images)["score"].numpy() == pytest.approx(together[0], rel=1e-5)
