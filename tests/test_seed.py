"""The experiment the project grew from, with the real commands and the real network, shorter."""

from pathlib import Path

import pytest

from adscore import Detector
from tests.conftest import Run

pytestmark = pytest.mark.slow


def test_outliers_are_found_in_the_set_that_was_trained_on(run: Run, tmp_path: Path) -> None:
    assert run("adtrain", "dataset", "demo", "--out", "set").stdout == (
        "set: 6742 images of label 1 and 67 of label 3\n"
    )
    fitted = run("adtrain", "fit", "--recipe", "tutorial", "--epochs", "5")
    assert fitted.stderr.splitlines()[0] == ("the bundled demo set: 5448 images to train on, 1361 held out, 28x28 L")
    assert run("adtrain", "export", "--quantile", "0.999").returncode == 0
    spec = Detector(tmp_path / "artifacts" / "detector.onnx").spec
    assert (spec.calibration.rule, spec.calibration.images, spec.parity.images) == ("quantile", 6809, 1361)

    scored = run("adscore", "set", "--out", "results.csv")
    assert scored.stderr.splitlines()[-1].startswith("6809 images, 7 anomalies above 0.0")
    rows = (tmp_path / "results.csv").read_text().splitlines()
    flagged = {row.split(",")[0] for row in rows if ",true," in row}
    labels = dict(line.split(",")[:2] for line in (tmp_path / "set" / "labels.csv").read_text().splitlines())
    assert len(flagged) == 7
    assert sum(labels[name] == "3" for name in flagged) >= 4
