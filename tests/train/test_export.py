"""`adtrain export`: from a run folder to a file that adscore takes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adscore import Detector
from adscore.inputs import Inputs
from tests.conftest import Run
from tests.spaces import without_rights
from tests.tiny import paint_parts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with `all/parts`, 120 images, one hidden, others beside them, and `run`, trained on the 120."""
    import adtrain.fit
    from adtrain.quiet import import_tensorflow
    from adtrain.selection import Selection

    import_tensorflow()
    folder = tmp_path_factory.mktemp("trained")
    for name, count in (("parts", 120), ("odd", 3), ("parts/old", 2)):
        paint_parts(folder / "all" / name, count)
    asked = {"filters": (4, 8), "latent": 4, "epochs": 4, "views": 1}
    (folder / "all" / "parts" / "119.png").rename(folder / "all" / "parts" / ".119.png")
    selection = Selection(normal=("parts",), exclude=("old",), hidden=True)
    lines: list[str] = []
    adtrain.fit.fit(str(folder / "all"), folder / "run", asked, selection=selection, notify=lines.append)
    assert lines[:2] == [
        f"{folder / 'all'}: takes as normal 120 images in parts",
        f"{folder / 'all'}: leaves out 3 other images in odd; 2 excluded images in parts/old",
    ]
    return folder


@pytest.fixture
def here(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained / "run", tmp_path / "run")
    return tmp_path


def test_export_shows_what_it_did_and_adscore_takes_the_file(run: Run, trained: Path, here: Path) -> None:
    done = run("adtrain", "export", "run", "--fpr", "0.05")
    assert (done.returncode, done.stderr) == (0, "")
    rows = dict(line.strip().split("  ", 1) for line in done.stdout.splitlines() if line.strip())
    assert rows["detector"].strip() == "artifacts/detector.onnx"
    assert rows["rule"].strip() == "split-conformal: false-alarm rate <= 0.05, from 24 held-out images"
    # ceil(25 x 0.95) = 24: the largest of the 24 scores
    assert rows["held-out images"].strip() == "24, 0 of them above the threshold"
    assert rows["parity with Keras"].strip().endswith("labels agree 100%, at batch 1 and 64")
    detector = Detector(here / "artifacts" / "detector.onnx")
    held_out = np.load(here / "run" / "held_out.npy")
    assert detector.score(held_out).max() == pytest.approx(detector.spec.calibration.threshold, rel=1e-6)
    scored = run("adscore", trained / "all" / "parts", "--hidden", "--out", "results.csv")
    assert scored.returncode == 0
    assert scored.stderr.startswith("detector: artifacts/detector.onnx\n122 images, ")


def test_a_rate_that_few_images_cannot_promise_is_refused_when_asked_for(run: Run, here: Path) -> None:
    done = run("adtrain", "export", "run", "--fpr", "0.01")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: a false-alarm rate of 0.01 takes at least 99 held-out images (n >= 1/fpr - 1) and there are 24; "
        "ask for 0.04 or more, or hold out more images\n"
    )
    assert sorted(path.name for path in here.iterdir()) == ["run"]


def test_the_default_is_what_few_images_can_promise(run: Run, here: Path) -> None:
    done = run("adtrain", "export", "run")
    assert done.returncode == 0
    assert (here / "artifacts" / "detector.onnx").is_file()
    assert "false-alarm rate <= 0.04, from 24 held-out images" in done.stdout
    assert done.stderr == (
        "warning: 24 held-out images can promise a false-alarm rate of 0.04 at best; 0.01 takes 99, so fit with more "
        "images\n"
    )


def test_quantile_is_over_all_images_that_were_taken(run: Run, trained: Path, here: Path) -> None:
    record = json.loads((here / "run" / "run.json").read_text())
    assert [record[key] for key in ("data", "normal", "exclude", "hidden")] == [
        str(trained / "all"), ["parts"], ["old"], True,
    ]  # fmt: skip
    assert run("adtrain", "export", "run", "--quantile", "0.9", "--out", "q.onnx").returncode == 0
    detector = Detector(here / "q.onnx")
    images = Inputs([str(trained / "all" / "parts")], hidden=True)
    files = [image.location for image in images if "old" not in image.name]
    predictions = list(detector.predict(files))
    assert sum(prediction.is_anomaly is True for prediction in predictions) == 12
    scores = [prediction.score for prediction in predictions if prediction.score is not None]
    assert detector.spec.calibration.threshold == pytest.approx(np.quantile(scores, 0.9), rel=1e-6)
    assert (detector.spec.calibration.images, detector.spec.calibration.held_out) == (120, False)


def test_quantile_refuses_images_that_changed(run: Run, trained: Path, here: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "all", tmp_path / "changed")
    (tmp_path / "changed" / "parts" / "000.png").unlink()
    record = json.loads((here / "run" / "run.json").read_text()) | {"data": str(tmp_path / "changed")}
    (here / "run" / "run.json").write_text(json.dumps(record))
    done = run("adtrain", "export", "run", "--quantile", "0.9")
    assert done.returncode == 1
    assert "changed: its images are not those that run was trained on; --quantile needs them all" in done.stderr
    assert run("adtrain", "export", "run", "--fpr", "0.05").returncode == 0


def test_threshold_by_hand(run: Run, here: Path) -> None:
    assert run("adtrain", "export", "run", "--threshold", "0.125", "--out", "t.onnx").returncode == 0
    calibration = Detector(here / "t.onnx").spec.calibration
    assert (calibration.rule, calibration.threshold, calibration.reference.images) == ("given", 0.125, 24)


def test_held_out_images_of_another_size_are_refused(run: Run, here: Path) -> None:
    np.save(here / "run" / "held_out.npy", np.zeros((24, 8, 12, 1), np.uint8))
    done = run("adtrain", "export", "run", "--fpr", "0.05")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: run: its held_out.npy is uint8 (24, 8, 12, 1) and not of (8, 8, 1); train again"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("run.json", "error: run: its run.json is damaged ("),
        ("held_out.npy", "error: run: its held_out.npy cannot be read ("),
        ("autoencoder.keras", "error: run: its autoencoder.keras cannot be read ("),
    ],
)
def test_damaged_runs_are_refused(run: Run, here: Path, name: str, message: str) -> None:
    (here / "run" / name).write_bytes(b"damaged")
    done = run("adtrain", "export", "run", "--fpr", "0.05")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith(message)
    assert not (here / "artifacts").exists()


@pytest.mark.parametrize("name", ["run.json", "held_out.npy", "autoencoder.keras"])
def test_a_pipe_in_a_run_is_not_waited_for(run: Run, here: Path, name: str) -> None:
    (here / "run" / name).unlink()
    os.mkfifo(here / "run" / name)
    done = run("adtrain", "export", "run", "--fpr", "0.05")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "not a regular file" in done.stderr


def test_a_read_only_run_is_exported_and_its_old_picture_is_told_of(here: Path) -> None:
    for path in (here / "run").iterdir():
        path.chmod(0o444)
    (here / "run").chmod(0o555)
    before = {path.name: path.read_bytes() for path in (here / "run").iterdir()}
    adtrain = Path(sys.executable).with_name("adtrain")
    done = subprocess.run(
        [*without_rights("dac_override", "dac_read_search"), adtrain, "export", "run", "--fpr", "0.05"],
        cwd=here, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        0, "warning: run/histogram.png: stays as it was, with another threshold (Permission denied)\n",
    )  # fmt: skip
    assert Detector(here / "artifacts" / "detector.onnx").spec.calibration.images == 24
    assert {path.name: path.read_bytes() for path in (here / "run").iterdir()} == before


def test_a_run_that_may_not_be_read_is_named(here: Path) -> None:
    (here / "run" / "run.json").chmod(0)
    adtrain = Path(sys.executable).with_name("adtrain")
    done = subprocess.run(
        [*without_rights("dac_override", "dac_read_search"), adtrain, "export", "run"],
        cwd=here, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1, "error: run: its run.json cannot be read (Permission denied); check the path\n",
    )  # fmt: skip


def test_no_run_is_refused(run: Run) -> None:
    done = run("adtrain", "export", "gone")
    assert (done.returncode, done.stderr) == (
        1, "error: gone: no run here (No such file or directory); train one with adtrain fit\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fpr", "0.1", "--quantile", "0.9"], "Error: Invalid value for --fpr: give one of --fpr, --quantile and"),
        (["--threshold", "1e300"], "Error: Invalid value for --threshold: 1e+300 is no threshold; give a finite"),
        (["--fpr", "1"], "Error: Invalid value for --fpr: lies between 0 and 1"),
        (["--quantile", "0"], "Error: Invalid value for --quantile: lies between 0 and 1"),
    ],
)
def test_wrong_usage_is_exit_2(run: Run, options: list[str], message: str) -> None:
    done = run("adtrain", "export", *options)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(message)
