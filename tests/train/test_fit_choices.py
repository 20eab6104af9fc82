"""What `adtrain fit` chooses, and what can be asked for instead, with the real commands."""

import csv
import json
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.tiny import paint_parts

pytestmark = pytest.mark.slow

SMALL = ["--filters", "4,8", "--latent", "4", "--epochs", "3", "--views", "1"]


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    return paint_parts(tmp_path / "parts", 60)


def test_large_pictures_are_cut_into_tiles_and_scored_whole(run: Run, tmp_path: Path) -> None:
    parts = paint_parts(tmp_path / "parts", 30, size=(96, 70))
    small = ["--filters", "4,8", "--latent", "4", "--epochs", "2", "--views", "2"]
    done = run("adtrain", "fit", parts, "--out", "run", *small)
    assert done.stderr.splitlines()[1] == f"{parts}: 24 images to train on, 6 held out, 96x64 L in tiles of 32"
    exported = run("adtrain", "export", "run", "--out", "detector.onnx")
    assert exported.returncode == 0, exported.stderr
    assert exported.stderr.startswith("warning: 6 held-out images can promise a false-alarm rate of 0.143 at best;")
    spec = json.loads(run("adscore", "--info", "--json").stdout)
    assert (spec["image"]["width"], spec["image"]["height"]) == (96, 64)
    assert (spec["score"]["reduction"], spec["score"]["parameter"]) == ("deviation", 1.0)
    scored = run("adscore", "parts", "--out", "results.csv")
    assert scored.returncode == 0
    with (tmp_path / "results.csv").open() as file:
        assert all(float(row["score"]) >= 1 for row in csv.DictReader(file))


def test_pictures_that_are_barely_large_are_cut_at_the_size_that_they_are_brought_to(run: Run, tmp_path: Path) -> None:
    parts = paint_parts(tmp_path / "parts", 10, size=(70, 66))
    small = ["--filters", "4,8", "--latent", "4", "--epochs", "1", "--views", "1"]
    done = run("adtrain", "fit", parts, "--out", "run", *small)
    assert done.stderr.splitlines()[1] == f"{parts}: 8 images to train on, 2 held out, 64x64 L in tiles of 32"


@pytest.mark.parametrize("score", ["mean", "top", "max", "normalized", "relative", "deviation"])
def test_every_score_can_be_asked_for_and_exported(run: Run, parts: Path, score: str) -> None:
    assert run("adtrain", "fit", parts, "--out", "run", "--score", score, "--no-robust", *SMALL).returncode == 0
    exported = run("adtrain", "export", "run", "--out", "detector.onnx")
    assert exported.returncode == 0, exported.stderr
    assert json.loads(run("adscore", "--info", "--json").stdout)["score"]["reduction"] == score
    assert run("adscore", "parts", "--out", "results.csv").returncode == 0


@pytest.mark.parametrize(("flag", "repaired"), [("--repair", True), ("--no-repair", False)])
def test_repair_is_as_asked_for(run: Run, parts: Path, tmp_path: Path, flag: str, repaired: bool) -> None:
    assert run("adtrain", "fit", parts, "--out", "run", flag, *SMALL).returncode == 0
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["training"]["settings"]["repair"] is repaired
    # The detector is blurred as its record says, though only the scout settled it.
    assert record["training"]["settings"]["blur"] == record["scoring"]["blur"] == (0.7 if repaired else 0.0)


def test_the_tutorials_recipe(run: Run, parts: Path, tmp_path: Path) -> None:
    assert run("adtrain", "fit", parts, "--out", "run", "--recipe", "tutorial", "--epochs", "2").returncode == 0
    settings = json.loads((tmp_path / "run" / "run.json").read_text())["training"]["settings"]
    assert (settings["filters"], settings["decoder"], settings["latent"]) == ([32, 64], "wide", 16)
    assert (settings["robust"], settings["repair"], settings["score"], settings["decay"]) == (
        False,
        False,
        "mean",
        5e-4,
    )


def test_a_training_with_many_looks_says_nothing_of_tensorflow(run: Run, tmp_path: Path) -> None:
    paint_parts(tmp_path / "parts", 30)  # one batch a look, so that each look traces the graph anew
    small = ["--filters", "4", "--latent", "2", "--epochs", "12", "--views", "1"]
    done = run("adtrain", "fit", "parts", "--out", "run", *small)
    assert done.returncode == 0
    beginnings = ("parts: ", "a scout ", "epoch ", "not learnt ", "run: ")
    assert [line for line in done.stderr.splitlines() if not line.startswith(beginnings)] == []
