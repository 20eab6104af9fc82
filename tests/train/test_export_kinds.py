"""Trainings on pictures that float32 has trouble with: each is exported, within the tolerance that holds for all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from adtrain.quiet import import_tensorflow

pytestmark = pytest.mark.slow

Picture = NDArray[np.uint8]
Random = np.random.Generator


def near_binary(random: Random, height: int, width: int) -> Picture:
    """A printed board: tracks on dark ground, with little between."""
    picture = np.full((height, width), 3, np.uint8)
    for place in random.integers(0, height - 4, 12):
        picture[place : place + 4] = 250
    return np.asarray(picture + random.integers(0, 3, picture.shape), np.uint8)


def one_grey(random: Random, height: int, width: int) -> Picture:
    return np.full((height, width), random.integers(120, 136), np.uint8)


def black(random: Random, height: int, width: int) -> Picture:
    picture = np.zeros((height, width), np.uint8)
    for _ in range(random.integers(0, 4)):
        picture[random.integers(height), random.integers(width)] = random.integers(1, 256)
    return picture


def saturated(random: Random, height: int, width: int) -> Picture:
    return np.asarray(255 - black(random, height, width), np.uint8)


WHOLE: dict[str, Any] = {"tile": 0, "filters": (4, 4), "latent": 4, "score": "relative"}
TILED: dict[str, Any] = {"tile": 16, "filters": (4, 4), "latent": 4, "score": "deviation"}


@pytest.mark.parametrize(
    ("paint", "height", "width", "asked"),
    [
        (near_binary, 512, 640, WHOLE | {"epochs": 1, "views": 1}),
        (one_grey, 32, 32, WHOLE),
        (one_grey, 32, 32, TILED),
        (black, 32, 32, WHOLE),
        (saturated, 32, 32, WHOLE | {"light": "even"}),
    ],
)
def test_it_is_exported(
    paint: Callable[[Random, int, int], Picture], height: int, width: int, asked: dict[str, Any], tmp_path: Path
) -> None:
    import_tensorflow()
    import adtrain.fit
    from adexport import SplitConformal
    from adtrain.export import export_run
    from adtrain.run import load_run

    random = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    for number in range(10):
        Image.fromarray(paint(random, height, width)).save(tmp_path / "pictures" / f"{number:02}.png")
    adtrain.fit.fit(
        str(tmp_path / "pictures"), tmp_path / "run",
        {"epochs": 2, "views": 2, "batch_size": 8, "robust": False, "repair": False, "held_out": 0.3} | asked,
        size=(width, height), mode="L", notify=lambda _: None,
    )  # fmt: skip
    exported, _ = export_run(load_run(tmp_path / "run"), SplitConformal(0.3), tmp_path / "detector.onnx")
    assert (tmp_path / "detector.onnx").is_file()
    assert exported.spec.parity.label_agreement == 1.0
    # Where the network comes near to what is one grey, its own rounding is larger.
    assert exported.spec.parity.max_relative_difference <= (1e-5 if paint is near_binary else 1e-3)
