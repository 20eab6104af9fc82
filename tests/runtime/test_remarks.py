"""What a run says at the end of pictures that are not as the detector expects: real files, the real command."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adscore.original import Original, pictures_of, remarks_on
from adscore.spec import DetectorSpec, Pictures
from tests.conftest import Run
from tests.tiny import paint, tiny_detector, tiny_spec
from tests.watching import Watching

SIX_BY_FOUR = pictures_of([Original(6, 4, "L", 8, None), Original(12, 8, "L", 8, None)])


def knowing(pictures: Pictures | None, *, bits: int = 16) -> DetectorSpec:
    spec = tiny_spec()
    return replace(spec, image=replace(spec.image, bits=bits), training=replace(spec.training, pictures=pictures))


def colour(path: Path, size: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def deep(path: Path, largest: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 6), largest, np.uint16)).save(path)


def said(stderr: str) -> list[str]:
    return [line for line in stderr.splitlines() if re.match(r"\d+ images? (is|are) ", line)]


UNLIKE = (
    "3 images are unlike those the detector was trained on (size 1, shape 2, colour 1, depth 1), and their scores may "
    "mean nothing; the first: b.png, 60x10 RGB, 8 bits; trained on: 6x4 to 12x8 L, 8 bits"
)


@pytest.mark.parametrize("options", [(), ("--workers", "2", "--batch-size", "1"), ("--fdr", "0.1")])
def test_unlike_pictures_are_said_in_one_line(run: Run, tmp_path: Path, options: Sequence[str]) -> None:
    (tmp_path / "detector.onnx").write_bytes(tiny_detector(knowing(SIX_BY_FOUR)))
    paint(tmp_path / "in" / "a.png", 9, size=(6, 4))
    colour(tmp_path / "in" / "b.png", (60, 10))
    paint(tmp_path / "in" / "c.png", 9, size=(4, 4))
    paint(tmp_path / "in" / "d.png", 9, size=(12, 8))
    deep(tmp_path / "in" / "e.png", 9)
    plain = run("adscore", "in", "--out", "plain.csv", *options)
    assert said(plain.stderr) == [UNLIKE]
    assert plain.returncode == 0
    (tmp_path / "detector.onnx").write_bytes(tiny_detector(knowing(None)))
    unknowing = run("adscore", "in", "--out", "unknowing.csv", *options)
    assert said(unknowing.stderr) == []
    # Rows know nothing of it.
    assert (tmp_path / "plain.csv").read_bytes() == (tmp_path / "unknowing.csv").read_bytes()


def test_samples_beyond_the_range_are_said_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "detector.onnx").write_bytes(tiny_detector(knowing(None, bits=12)))
    for name, largest in (("a", 4095), ("b", 4096), ("c", 5000)):
        deep(tmp_path / "in" / f"{name}.png", largest)
    assert said(run("adscore", "in").stderr) == [
        "2 images are brighter than the 12 bits that the detector reads, cut off at 4095; the first: b.png, up to "
        "4096. If they are sound, train with more --bits"
    ]


def test_a_resumed_run_speaks_of_what_it_scored_itself(run: Run, tmp_path: Path) -> None:
    (tmp_path / "detector.onnx").write_bytes(tiny_detector(knowing(SIX_BY_FOUR)))
    colour(tmp_path / "in" / "b.png", (6, 4))
    (tmp_path / "in" / "c.png").mkdir()  # a row with an error
    assert len(said(run("adscore", "in", "--out", "a.csv").stderr)) == 1
    assert said(run("adscore", "in", "--out", "a.csv", "--resume").stderr)[0].startswith("1 image is unlike those")


def test_a_watch_says_it_when_it_ends(tmp_path: Path) -> None:
    (tmp_path / "detector.onnx").write_bytes(tiny_detector(knowing(SIX_BY_FOUR)))
    colour(tmp_path / "images" / "a.png", (6, 4))
    watching = Watching(tmp_path)
    watching.wait_for("a.png")
    colour(tmp_path / "images" / "b.png", (6, 4))
    watching.wait_for("a.png", "b.png")
    assert watching.stop() == 143
    assert len(said(watching.said.read_text())) == 1
    assert said(watching.said.read_text())[0].startswith("2 images are unlike those the detector was trained on (colo")


@pytest.mark.parametrize(
    ("original", "remarks"),
    [
        (Original(6, 4, "L", 8, None), ()),
        (Original(3, 2, "L", 8, None), ()),
        (Original(24, 16, "L", 8, None), ()),
        (Original(25, 16, "L", 8, None), ("size",)),
        (Original(2, 2, "L", 8, None), ("size", "shape")),
        (Original(7, 4, "L", 8, None), ()),
        (Original(8, 4, "L", 8, None), ("shape",)),
        (Original(6, 4, "RGB", 8, None), ("colour",)),
        (Original(6, 4, "L", 16, 1023), ("depth",)),
        (Original(6, 4, "L", 16, 1024), ("range", "depth")),
    ],
)
def test_what_is_remarked(original: Original, remarks: tuple[str, ...]) -> None:
    assert remarks_on(original, knowing(SIX_BY_FOUR, bits=10)) == remarks


def test_grey_is_unlike_where_all_were_in_colour() -> None:
    pictures = pictures_of([Original(6, 4, "RGB", 8, None)])
    assert remarks_on(Original(6, 4, "L", 8, None), knowing(pictures)) == ("colour",)
    assert remarks_on(Original(6, 4, "L", 8, None), knowing(None)) == ()
