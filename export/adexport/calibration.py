"""From the scores of images to the calibration in the file: three rules for the threshold, one set of p-values."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adscore.calibration import conformal_threshold
from adscore.detector import Detector
from adscore.errors import CalibrationError
from adscore.images import Pixels
from adscore.spec import Calibration, Reference

# Up to here every score is stored and p-values are exact; above, the body is thinned and the tail kept whole.
STORED_SCORES = 1_000


@dataclass(frozen=True)
class SplitConformal:
    """The smallest threshold that keeps the false-alarm rate, by held-out images; see `adscore.calibration`."""

    fpr: float


@dataclass(frozen=True)
class Quantile:
    """A quantile over all images, those trained on included: finds outliers in a set, promises nothing beyond it."""

    quantile: float
    images: Iterable[Pixels]  # batches of all images, uint8 (n, height, width, channels)


@dataclass(frozen=True)
class Given:
    """A threshold chosen by hand."""

    threshold: float


Rule = SplitConformal | Quantile | Given


def calibrate(rule: Rule, detector: Detector, held_out_scores: NDArray[np.float32]) -> Calibration:
    """Returns the calibration by `rule`; the reference for p-values is held out under every rule.

    Args:
        rule: how the threshold is found.
        detector: scores the images that the rule needs beyond the held-out ones.
        held_out_scores: float32 (n,), scores of images that training never saw.

    Raises:
        CalibrationError: a score is not finite, or there are too few images for the rate asked for.
    """
    if not np.isfinite(held_out_scores).all():
        raise CalibrationError(
            "a held-out image has a score that is not finite, so the weights are damaged; train again with a "
            "smaller --learning-rate"
        )
    ordered = np.sort(held_out_scores)
    everything = reference_of(ordered)
    reference = _reference(ordered, _stored_ranks(len(ordered)))
    match rule:
        case SplitConformal(fpr):
            threshold = conformal_threshold(everything, fpr)
            return Calibration("split-conformal", fpr, threshold, everything.images, True, reference)
        case Quantile(quantile, batches):
            scores = np.concatenate([detector.score(batch) for batch in batches])
            threshold = float(np.float32(np.quantile(scores.astype(np.float64), quantile)))
            return Calibration("quantile", quantile, threshold, len(scores), False, reference)
        case Given(threshold):
            return Calibration("given", None, float(np.float32(threshold)), 0, False, reference)


def reference_of(ordered: NDArray[np.float32]) -> Reference:
    """Returns a reference with every rank of these scores, float32 (n,), ascending."""
    return _reference(ordered, np.arange(1, len(ordered) + 1))


def _reference(ordered: NDArray[np.float32], ranks: NDArray[np.int64]) -> Reference:
    return Reference(len(ordered), tuple(ranks.tolist()), tuple(ordered[ranks - 1].tolist()))


def _stored_ranks(images: int) -> NDArray[np.int64]:
    """Returns the ranks to store, ascending from 1 to `images`: half of them the largest, half spread evenly."""
    if images <= STORED_SCORES:
        return np.arange(1, images + 1)
    half = STORED_SCORES // 2
    spread = np.linspace(1, images - half, half).round().astype(np.int64)
    return np.concatenate([spread, np.arange(images - half + 1, images + 1)])
