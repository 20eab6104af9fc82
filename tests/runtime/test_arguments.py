"""What Python callers may give, and what they are told where it is something else."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adscore.detector import Detector
from adscore.images import decode
from tests.tiny import paint, tiny_detector, tiny_spec

DETECTOR = Detector(tiny_detector(), threads=1)
PIXELS = np.zeros((4, 4), np.uint8)


class Place:
    """A path that is neither a str nor a Path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return str(self._path)


@pytest.mark.parametrize("one", [str, Path, Place])
def test_whatever_the_system_takes_for_a_path_is_one(tmp_path: Path, one: Callable[[Path], str | Path]) -> None:
    path = paint(tmp_path / "1.png", 255)
    for given in (one(path), [one(path)], (one(path),), iter([one(path)]), {one(path): None}, np.array([str(path)])):
        (prediction,) = DETECTOR.predict(given)
        assert (prediction.path, prediction.score) == (str(path), 1)
    (tmp_path / "detector.onnx").write_bytes(tiny_detector())
    assert Detector(one(tmp_path / "detector.onnx"), threads=1).spec == DETECTOR.spec


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (b"1.png", "bytes"),
        (bytearray(b"1.png"), "bytearray"),
        (memoryview(b"1.png"), "memoryview"),
        (Image.new("L", (4, 4)), "Image"),
        ([Image.new("L", (4, 4))], "Image"),
        ([PIXELS], "ndarray"),
        (["1.png", b"1.png"], "bytes"),
        (["1.png", None], "NoneType"),
        (io.BytesIO(b"1.png"), "BytesIO"),
        (None, "NoneType"),
        (5, "int"),
    ],
)
def test_what_is_no_path_is_refused_at_once(given: Any, kind: str) -> None:
    with pytest.raises(TypeError) as raised:
        DETECTOR.predict(given)
    assert str(raised.value) == (
        f"predict takes paths of image files, each a str or os.PathLike, not {kind}; pixels are scored by "
        "Detector.score, which takes what adscore.images.decode makes of a file's content"
    )


def test_of_an_iterator_it_is_refused_when_it_comes(tmp_path: Path) -> None:
    path = paint(tmp_path / "1.png", 255)
    predictions = DETECTOR.predict(iter([path, PIXELS]), batch_size=1)  # type: ignore[arg-type]
    assert next(predictions).score == 1
    with pytest.raises(TypeError, match="predict takes paths of image files, .* not ndarray; "):
        next(predictions)
    with pytest.raises(TypeError, match="not ndarray; "):
        list(DETECTOR.predict(PIXELS))


@pytest.mark.parametrize("given", [None, 5, io.BytesIO(tiny_detector()), bytearray(tiny_detector()), tiny_spec()])
def test_a_model_is_a_path_or_bytes(given: Any) -> None:
    with pytest.raises(TypeError) as raised:
        Detector(given)
    assert str(raised.value) == (
        f"model is the path of a detector file, or its content as bytes, not {type(given).__name__}"
    )


@pytest.mark.parametrize("given", [[[1]], ["1.png"], "1.png", None, Image.new("L", (4, 4))])
def test_pixels_are_an_array(given: Any) -> None:
    for use in (DETECTOR.score, DETECTOR.analyze):
        with pytest.raises(TypeError) as raised:
            use(given)
        assert str(raised.value) == (
            f"images are a numpy array, uint8 of shape (n, 4, 4, 1), not {type(given).__name__}; prepare files with "
            "adscore.images.decode, or give their paths to Detector.predict"
        )


@pytest.mark.parametrize("given", [None, 5, PIXELS, Image.new("L", (4, 4)), bytearray(b"1")])
def test_a_source_is_a_path_or_bytes(given: Any) -> None:
    with pytest.raises(TypeError) as raised:
        decode(given, DETECTOR.spec.image)
    assert str(raised.value) == (
        f"decode takes the path of an image file, or its content as bytes, not {type(given).__name__}"
    )


def test_the_rules_are_an_image_spec(tmp_path: Path) -> None:
    path = paint(tmp_path / "1.png", 255)
    for given in (DETECTOR.spec, None):
        with pytest.raises(TypeError, match=r"decode takes an ImageSpec, such as detector\.spec\.image, not "):
            decode(path, given)  # type: ignore[arg-type]
    assert decode(os.fspath(path), DETECTOR.spec.image).shape == (4, 4, 1)
