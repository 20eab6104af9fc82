"""What a run says at the end of pictures that are not as the detector expects: real files, the real command."""

import re
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adscore.original import Original, pictures_of, remarks_on
from adscore.prediction import Scored
from adscore.spec import DetectorSpec, Pictures
from tests.conftest import Run
from tests.feeding import Feeding
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


def test_each_run_speaks_of_what_it_scored_itself(run: Run, tmp_path: Path) -> None:
    (tmp_path / "detector.onnx").write_bytes(tiny_detector(knowing(SIX_BY_FOUR)))
    paths = [tmp_path / "in" / f"{number}.png" for number in range(10)]
    for path in paths:
        colour(path, (6, 4))
    stopped = Feeding(tmp_path)
    stopped.give(paths[:9])
    stopped.wait_for_kept(1)
    code, lines = stopped.stop(signal.SIGTERM)
    kept = stopped.kept()
    assert code == 143
    counted = f"{kept} images are" if kept > 1 else "1 image is"
    assert [line.partition(" unlike")[0] for line in lines[2:]] == [counted]
    listed = "".join(f"in/{path.name}\n" for path in paths)
    resumed = run("adscore", "-", "--out", "results.csv", "--resume", stdin=listed)
    counted = f"{10 - kept} images are" if kept < 9 else "1 image is"
    (line,) = said(resumed.stderr)
    assert line.startswith(f"{counted} unlike those the detector was trained on (colour {10 - kept}), ")
    assert f"; the first: in/{kept}.png, 6x4 RGB" in line


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


def test_what_was_noticed_keeps_its_place_in_a_batch() -> None:
    odd = Original(6, 4, "RGB", 8, None)
    one, other = (Scored(np.zeros(1, np.float32), {}, noted) for noted in ({}, {0: odd}))
    assert Scored.joined([one, other, one]).noted == {1: odd}
    known = np.array([0.5, np.nan, 0.5], np.float32)
    assert other.among(known).noted == {1: odd}
