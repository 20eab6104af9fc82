"""Warnings on the threshold: few held-out images, and anomalies among them."""

from dataclasses import replace

import numpy as np
import pytest

from adexport import Exported, SplitConformal
from adexport.calibration import calibrate
from adscore import Detector
from adtrain.pollution import default_rate, warnings
from tests.tiny import tiny_detector, tiny_spec

pytestmark = pytest.mark.slow  # adexport loads TensorFlow

DETECTOR = Detector(tiny_detector())


def exported(scores: list[float], fpr: float) -> Exported:
    held_out = np.array(scores, np.float32)
    calibration = calibrate(SplitConformal(fpr), DETECTOR, held_out)
    return Exported(b"", replace(tiny_spec(), calibration=calibration), held_out, np.empty((0, len(held_out))))


def normal(count: int) -> list[float]:
    return [float(score) for score in np.exp(np.random.default_rng(0).normal(0, 0.2, count))]


def test_enough_normal_images_are_no_reason_to_warn() -> None:
    assert warnings(exported(normal(400), 0.01)) == []
    assert default_rate(400) == 0.01


def test_few_images_are_named_with_what_it_takes() -> None:
    assert default_rate(24) == 1 / 25
    assert warnings(exported(normal(24), default_rate(24))) == [
        "24 held-out images can promise a false-alarm rate of 0.04 at best; 0.01 takes 99, so fit with more images"
    ]


def test_anomalies_are_counted_and_the_threshold_without_them_is_told() -> None:
    clean = normal(400)
    (warning,) = warnings(exported([*clean, *[20.0] * 8], 0.01))
    assert warning.startswith("8 of 408 held-out images stand out from the rest; if they are anomalies, they raise")
    without = calibrate(SplitConformal(0.01), DETECTOR, np.array(clean, np.float32)).threshold
    assert f"would be {without:.6g} without them and is 20:" in warning
    assert f"export with --threshold {without:.6g}" in warning


def test_one_outlier_that_moves_nothing_is_passed_over() -> None:
    assert warnings(exported([*normal(400), 20.0], 0.05)) == []
