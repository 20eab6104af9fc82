"""One picture, one score: to the bit, whatever is beside it in a batch, and wherever it stands there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adexport.scoring import Reduction, Scoring, Typical
from adscore import Detector
from adscore.spec import ImageSpec, TrainingRecord
from adtrain.quiet import import_tensorflow
from tests.conftest import Run

pytestmark = pytest.mark.slow

TILE = 8
# The largest hundredth of 24x24 pixels are six, of 36x36 thirteen: rows of so many begin at other places within 16
# bytes. Rows of six are also what 1,296 numbers are when they are added up 216 at a time.
TILED, WHOLE = 24, 36
TYPICAL = Typical(0.05, (1.0, 1e-6, 1.0, 1.0, 1.0), ((0.01, 0.02), (0.03, 0.01)))

Make = Callable[..., bytes]


@pytest.fixture(scope="module")
def content() -> Make:
    """Returns a function that makes the file of a network that nobody trained."""
    import_tensorflow()
    import keras

    from adexport.export import draft_detector
    from adexport.graph import detector_function, to_onnx, with_spec
    from adexport.quantize import quantized
    from adexport.rewrites import INT8_RULES, RULES
    from adtrain.model import build_autoencoder

    def make(reduction: Reduction, tile: int, precision: str) -> bytes:
        keras.utils.clear_session()
        keras.utils.set_random_seed(1)
        side = TILED if tile else WHOLE
        network = build_autoencoder(
            tile or side, tile or side, 3, filters=(8, 16), latent=4, decoder="narrow"
        ).autoencoder
        scoring, image = Scoring(reduction, 0.7, tile, TYPICAL), ImageSpec(side, side, "RGB")
        spec = draft_detector(network, image, scoring, TrainingRecord({}, 0, "sha256:00", {})).spec
        model = to_onnx(detector_function(network, image, scoring), RULES if precision == "float" else INT8_RULES)
        return with_spec(model if precision == "float" else quantized(model, pictures(8, side)), spec)

    return make


def pictures(number: int, side: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, (number, side, side, 3), np.uint8)


@pytest.mark.parametrize(
    ("reduction", "tile", "precision"),
    [
        ("deviation", TILE, "float"), ("deviation", TILE, "int8"), ("deviation", 0, "float"),
        ("top", 0, "float"), ("relative", 0, "float"), ("relative", 0, "int8"),
    ],
)  # fmt: skip
def test_a_picture_has_one_score(content: Make, reduction: Reduction, tile: int, precision: str) -> None:
    file = content(reduction, tile, precision)
    for picture in pictures(3, TILED if tile else WHOLE):
        images = np.repeat(picture[np.newaxis], 17, axis=0)
        images[5] = 255 - picture
        scores: set[float] = set()
        maps: set[bytes] = set()
        for detector in (Detector(file, threads=1), Detector(file, threads=2), Detector(file, low_memory=True)):
            for batch_size in (1, 2, 3, 7, 17, None):
                found = detector.score(images, batch_size=batch_size)
                scores.update(np.delete(found, 5).tolist())
            outputs = detector.analyze(images)
            scores.update(np.delete(outputs.score, 5).tolist())
            maps.update(plane.tobytes() for plane in np.delete(outputs.anomaly_map, 5, axis=0))
        assert (len(scores), len(maps)) == (1, 1)


def test_tables_are_the_same_to_the_byte(content: Make, run: Run, tmp_path: Path) -> None:
    (tmp_path / "tiled.onnx").write_bytes(content("deviation", TILE, "float"))
    (tmp_path / "images").mkdir()
    for number in range(9):
        Image.fromarray(pictures(1, TILED)[0]).save(tmp_path / "images" / f"{number}.png")
    efforts = [["--batch-size", size] for size in "137"] + [["--threads", "2"], ["--workers", "2"], ["--low-memory"]]
    tables = set()
    for effort in efforts:
        done = run("adscore", "images", "--model", "tiled.onnx", "--out", "-", *effort)
        assert done.returncode == 0
        tables.add(done.stdout)
    (table,) = tables
    assert len({row.split(",")[1] for row in table.splitlines()[1:]}) == 1
