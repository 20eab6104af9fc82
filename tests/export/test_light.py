"""Even light: what a smooth light did to a picture is undone, in TensorFlow and in the exported graph alike."""

from collections import Counter
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from adexport.scoring import Scoring
from adscore.spec import ImageSpec
from adtrain.quiet import import_tensorflow

pytestmark = pytest.mark.slow


def textured(number: int = 4, *, height: int = 64, width: int = 96, channels: int = 3) -> NDArray[np.float64]:
    """Returns pictures of noise about a medium grey, (number, height, width, channels) in 0..255."""
    return np.random.default_rng(0).uniform(110, 190, (number, height, width, channels))


def lights(number: int, height: int, width: int) -> NDArray[np.float64]:
    """Returns gradients and vignettes of many directions and exposures, (number, height, width, 1)."""
    random = np.random.default_rng(1)
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    slopes = random.uniform(-0.15, 0.15, (2, number, 1, 1))
    vignettes = random.uniform(0, 0.1, (number, 1, 1)) * (down**2 + across**2)
    exposures = random.uniform(0.6, 1.0, (number, 1, 1))
    light: NDArray[np.float64] = exposures * (0.7 + slopes[0] * down + slopes[1] * across - vignettes)
    return light[..., np.newaxis]


def evened(pictures: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    import_tensorflow()
    from adexport.graph import scale
    from adexport.light import light_of, under_even_light

    pixels = np.rint(pictures).astype(np.uint8)
    light = light_of(pixels)
    return under_even_light(scale(pixels), light).numpy(), light.numpy()


@pytest.mark.parametrize(("height", "width", "channels"), [(64, 96, 3), (256, 256, 1), (28, 30, 1)])
def test_a_picture_is_the_same_under_any_smooth_light(height: int, width: int, channels: int) -> None:
    pictures = textured(height=height, width=width, channels=channels)
    in_light = pictures * lights(len(pictures), height, width)
    before, _ = evened(pictures)
    after, _ = evened(in_light)
    # What is left of a difference of 0.3 and more is mostly rounding to whole numbers, enlarged where it was dark.
    assert np.abs(in_light - pictures).max() > 0.3 * 255
    assert np.abs(after - before).max() < 0.03
    assert np.abs(after - before).mean() < 0.008


def test_picture_is_evened_times_light() -> None:
    pictures = textured() * lights(4, 64, 96)
    flat, light = evened(pictures)
    np.testing.assert_allclose(flat * light, np.rint(pictures) / 255, rtol=1e-6)
    assert flat.mean() == pytest.approx(0.5, abs=0.001)


def test_colours_stay() -> None:
    pictures = textured() * np.array([1.0, 0.5, 0.25])
    flat, _ = evened(pictures)
    means = flat.mean(axis=(0, 1, 2))
    assert means / means[0] == pytest.approx([1.0, 0.5, 0.25], rel=0.02)


def test_what_is_small_stays() -> None:
    pictures = np.full((1, 64, 64, 1), 150.0)
    pictures[:, 20:28, 30:38] = 100
    flat, _ = evened(pictures)
    assert flat[0, 24, 34, 0] / flat[0, 24, 5, 0] == pytest.approx(100 / 150, rel=0.05)


def test_black_stays_black_and_white_stays_within_range() -> None:
    pictures = np.zeros((2, 16, 16, 1))
    pictures[1, 8, 8] = 255
    flat, light = evened(pictures)
    assert not flat[0].any()
    assert flat.max() == 1.0
    assert light.min() > 0


def graph_of(channels: int, tile: int, light: Any) -> tuple[Any, Any]:
    """Returns the function and the exported graph of a network whose weights are all different."""
    import_tensorflow()
    import keras

    from adexport.graph import detector_function, to_onnx
    from adtrain.model import build_autoencoder

    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    side = tile or 32
    autoencoder = build_autoencoder(side, side, channels, filters=(4, 8), latent=4, decoder="narrow").autoencoder
    function = detector_function(
        autoencoder, ImageSpec(32, 32, "L" if channels == 1 else "RGB"), Scoring("max", 1.0, tile, light=light)
    )
    return function, to_onnx(function)


@pytest.mark.parametrize(("channels", "tile"), [(1, 0), (3, 0), (1, 16), (3, 16)])
def test_the_exported_graph_finds_the_same_and_moves_no_pixels_more(channels: int, tile: int) -> None:
    _, plain = graph_of(channels, tile, "as_is")
    function, model = graph_of(channels, tile, "even")
    more = Counter(node.op_type for node in model.graph.node)
    more.subtract(Counter(node.op_type for node in plain.graph.node))
    assert not {name for name, number in more.items() if number} & {
        "Concat", "Expand", "Gather", "Shape", "Slice", "Squeeze", "Transpose", "Unsqueeze",
    }  # fmt: skip
    assert more["MatMul"] == 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    pictures = textured(5, height=32, width=32, channels=channels) * lights(5, 32, 32)
    pixels = np.rint(pictures).astype(np.uint8)
    together = session.run(["score", "anomaly_map", "reconstruction"], {"image": pixels})
    for name, found in zip(("score", "anomaly_map", "reconstruction"), together, strict=True):
        np.testing.assert_allclose(found, function(pixels)[name].numpy(), rtol=1e-5, atol=1e-7)
    for index in range(5):
        alone = session.run(["score"], {"image": pixels[index : index + 1]})[0]
        assert alone[0] == pytest.approx(together[0][index], rel=1e-5)


def test_the_reconstruction_is_in_the_pictures_own_light() -> None:
    import_tensorflow()
    import keras

    from adexport.graph import detector_function

    image = keras.Input((64, 96, 3))
    copying = keras.Model(image, keras.layers.Identity()(image))
    function = detector_function(copying, ImageSpec(96, 64, "RGB"), Scoring(light="even"))
    pixels = np.rint(textured() * lights(4, 64, 96)).astype(np.uint8)
    outputs = function(pixels)
    np.testing.assert_allclose(outputs["reconstruction"].numpy(), pixels / 255, rtol=1e-5)
    assert not outputs["score"].numpy().any()
