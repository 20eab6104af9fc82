"""The committed detector: its golden scores, its card, and what ONNX Runtime alone makes of it."""

import json
import re
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from adscore import Detector
from adscore.selftest import self_test
from adtrain.arrays import load_demo
from adtrain.dataset import write_set
from adtrain.evaluate import evaluate, score_files
from adtrain.labelled import labelled_files
from tests.conftest import Run
from tests.golden import DEMO, TOLERANCE, assert_golden, golden


def test_sixteen_samples_have_their_golden_scores(run: Run) -> None:
    done = run("adscore", DEMO / "images", "--model", DEMO / "detector.onnx")
    assert done.returncode == 0
    assert_golden(done.stdout)


def test_onnxruntime_alone_gives_the_score_of_a_raw_image() -> None:
    session = onnxruntime.InferenceSession(DEMO / "detector.onnx", providers=["CPUExecutionProvider"])
    for row in golden():
        pixels = np.asarray(Image.open(DEMO / "images" / row["path"]))[np.newaxis, :, :, np.newaxis]
        (score,) = session.run(["score"], {"image": pixels})[0]
        assert score == pytest.approx(float(row["score"]), rel=TOLERANCE, abs=1e-6)
    spec = json.loads(session.get_modelmeta().custom_metadata_map["adscore.spec"])
    assert spec["format_version"] == 3
    assert spec["calibration"]["rule"] == "split-conformal"


def test_self_test_holds() -> None:
    detector = Detector(DEMO / "detector.onnx")
    assert self_test(detector.spec, detector.score) <= TOLERANCE


def test_the_cards_figures(tmp_path: Path) -> None:
    write_set(load_demo("test"), tmp_path / "test", anomaly=3, force=False)
    detector = Detector(DEMO / "detector.onnx")
    measured = evaluate(detector, score_files(detector, labelled_files(str(tmp_path / "test"))), resamples=1)
    card = (DEMO / "README.md").read_text(encoding="utf-8")
    figures = dict(re.findall(r"^\| ([^|]+?) +\| ([0-9.]+) +\|$", card, re.MULTILINE))
    assert float(figures["AUROC"]) == pytest.approx(measured.auroc.value, abs=5e-5)
    assert float(figures["average precision"]) == pytest.approx(measured.average_precision.value, abs=5e-5)
    assert float(figures["threshold"]) == pytest.approx(detector.spec.calibration.threshold, rel=1e-4)
    assert int(figures["anomalies flagged, of 1,010 threes"]) == measured.true_positives
    assert int(figures["false alarms, of 1,135 ones"]) == measured.false_positives
