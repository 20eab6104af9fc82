"""What training and evaluation say of pictures that are unlike each other."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from adscore.original import Original, pictures_of
from adscore.spec import Pictures
from adtrain.source import ArraySource, FileSource, open_source
from tests.conftest import Run
from tests.tiny import paint, tiny_detector, tiny_spec
from tests.train.sets import npz

pytestmark = pytest.mark.slow  # evaluation loads what draws


def test_what_the_pictures_are_is_kept_with_the_source(tmp_path: Path) -> None:
    paint(tmp_path / "in" / "a.png", 9, size=(8, 4))
    Image.new("RGB", (4, 8)).save(tmp_path / "in" / "b.png")
    (tmp_path / "in" / "c.png").write_bytes(b"no image")
    source = open_source(str(tmp_path / "in"), size=(4, 4), mode="L")
    assert isinstance(source, FileSource)
    assert source.pictures == Pictures((4, 8), (4, 8), (0.5, 2.0), ("L", "RGB"), (8,), None)
    arrays = open_source(str(npz(tmp_path / "set.npz")), size=(4, 4), mode=None)
    assert isinstance(arrays, ArraySource)
    assert arrays.pictures == Pictures((8, 8), (8, 8), (1.0, 1.0), ("L",), (8,), None)


def test_evaluation_says_it_as_scoring_does(run: Run, tmp_path: Path) -> None:
    spec = tiny_spec()
    known = pictures_of([Original(16, 16, "L", 8, None)])
    (tmp_path / "detector.onnx").write_bytes(
        tiny_detector(replace(spec, training=replace(spec.training, pictures=known)))
    )
    for grey in (10, 20):
        paint(tmp_path / "data" / "test" / "good" / f"{grey}.png", grey)
    paint(tmp_path / "data" / "test" / "dent" / "220.png", 220)
    done = run("adtrain", "evaluate", "detector.onnx", "data")
    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == (
        "3 images are unlike those the detector was trained on (size 3), and their scores may mean nothing; the first: "
        "data/test/dent/220.png, 4x4 L, 8 bits; trained on: 16x16 L, 8 bits"
    )
