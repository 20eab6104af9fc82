from collections.abc import Iterator

import numpy as np
import pytest

from adexport import Given, Quantile, SplitConformal
from adexport.calibration import calibrate
from adscore import Detector
from adscore.calibration import conformal_threshold, p_values
from adscore.errors import CalibrationError
from adscore.images import Pixels
from adscore.spec import Reference
from tests.tiny import tiny_detector

DETECTOR = Detector(tiny_detector())


def scores(count: int, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.random.default_rng(seed).gamma(2, 0.01, count).astype(np.float32)


def test_conformal_threshold_is_the_ceil_n_plus_1_th_smallest() -> None:
    held_out = scores(1361)
    calibration = calibrate(SplitConformal(0.01), DETECTOR, held_out)
    rank = int(np.ceil(1362 * 0.99))
    assert calibration.threshold == np.sort(held_out)[rank - 1]
    assert (calibration.rule, calibration.target, calibration.images, calibration.held_out) == (
        "split-conformal", 0.01, 1361, True,
    )  # fmt: skip


def test_too_few_images_are_refused() -> None:
    with pytest.raises(CalibrationError, match="takes at least 99 held-out images"):
        calibrate(SplitConformal(0.01), DETECTOR, scores(98))
    assert calibrate(SplitConformal(0.01), DETECTOR, scores(99)).threshold == scores(99).max()


def test_quantile_is_over_the_images_given() -> None:
    def batches() -> Iterator[Pixels]:
        for grey in range(0, 101, 10):
            yield np.full((1, 4, 4, 1), grey, np.uint8)

    calibration = calibrate(Quantile(0.9, batches()), DETECTOR, scores(99))
    assert calibration.threshold == pytest.approx((90 / 255) ** 2)
    assert (calibration.rule, calibration.images, calibration.held_out) == ("quantile", 11, False)
    assert calibration.reference.images == 99


def test_given_threshold_is_exact_in_float32() -> None:
    assert calibrate(Given(0.1), DETECTOR, scores(99)).threshold == np.float32(0.1)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_refused(bad: float) -> None:
    held_out = scores(99)
    held_out[7] = bad
    with pytest.raises(CalibrationError, match="a held-out image has a score that is not finite"):
        calibrate(SplitConformal(0.01), DETECTOR, held_out)


@pytest.mark.parametrize("count", [999, 1000, 1001, 1500, 20_000])
def test_stored_scores_promise_no_more_than_all_of_them(count: int) -> None:
    held_out = np.sort(scores(count))
    stored = calibrate(Given(0.1), DETECTOR, held_out).reference
    everything = Reference(count, tuple(range(1, count + 1)), tuple(held_out.tolist()))
    assert len(stored.ranks) <= 1000
    probes = np.concatenate([held_out, scores(500, seed=1)])
    assert (p_values(probes, stored) >= p_values(probes, everything)).all()
    assert (p_values(probes, stored) - p_values(probes, everything)).max() <= 0.003
    for fpr in (0.001, 0.01, 0.02, 0.3):
        if (count + 1) * fpr >= 1:
            assert conformal_threshold(stored, fpr) >= conformal_threshold(everything, fpr)
    # The tail is whole: where thresholds lie, nothing is lost.
    assert conformal_threshold(stored, 0.02) == conformal_threshold(everything, 0.02)
