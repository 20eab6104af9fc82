"""From scores to decisions: the threshold that keeps a false-alarm rate, p-values, and what counts as an anomaly.

Split-conformal prediction: with n scores of normal images that training never saw, a new normal image exceeds the
ceil((n + 1)(1 - fpr))-th smallest of them with probability at most fpr. Source: Vovk, Gammerman and Shafer,
"Algorithmic Learning in a Random World" (2005), chapter 4; Bates et al., "Testing for outliers with conformal p-values"
(2023).
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adscore.errors import CalibrationError
from adscore.spec import Reference


def is_anomaly(scores: ArrayLike, threshold: float) -> NDArray[np.bool_]:
    """Returns which scores lie above the threshold, compared in float32, as the graph computes and the table prints.

    A score that is not a number is never above it; callers refuse such scores before they decide.
    """
    return np.asarray(scores, dtype=np.float32) > np.float32(threshold)


def p_values(scores: ArrayLike, reference: Reference) -> NDArray[np.float64]:
    """Returns p = (1 + number of reference scores >= score) / (n + 1) for each score.

    Between two stored ranks the lower one counts, so that a p-value is never smaller than the one that all n scores
    would give.

    Args:
        scores: float32, any shape.
        reference: the detector's held-out scores; with none of them every p-value is 1.

    Returns:
        float64 of the shape of `scores`, within 1 / (n + 1) to 1.
    """
    scores_of_ranks, ranks = reference.packed
    knots, below = np.frombuffer(scores_of_ranks, np.float32), np.frombuffer(ranks, np.int64)
    index = np.searchsorted(knots, np.asarray(scores, dtype=np.float32), side="left")
    return np.asarray((1 + reference.images - below[index]) / (reference.images + 1), dtype=np.float64)


def conformal_threshold(reference: Reference, fpr: float) -> float:
    """Returns the smallest stored score that keeps the false-alarm rate at or below `fpr`.

    Args:
        reference: held-out scores of normal images.
        fpr: false-alarm rate, between 0 and 1.

    Raises:
        CalibrationError: this is no rate, or there are too few scores for it.
    """
    refuse_unreachable(reference, fpr, "fpr")
    n = reference.images
    position = int(np.searchsorted(reference.ranks, n + 1 - _allowed(n, fpr), side="left"))
    return reference.scores[position]


def refuse_unreachable(reference: Reference, rate: float, kind: Literal["fpr", "fdr"]) -> None:
    """Makes sure that there are enough held-out scores for a rate: no p-value is below 1 / (n + 1).

    It is one and the same for both rates, since images that are all discoveries have p-values at or below the rate.

    Args:
        reference: held-out scores of normal images.
        rate: false-alarm or false-discovery rate, between 0 and 1.
        kind: which of the two.

    Raises:
        CalibrationError: this is no rate, or whatever the images, none could be flagged at it.
    """
    n, name = reference.images, {"fpr": "false-alarm", "fdr": "false-discovery"}[kind]
    if not 0 < rate < 1:
        raise CalibrationError(f"a {name} rate of {rate:g} is none; it lies between 0 and 1")
    if n == 0:
        raise CalibrationError(f"there are no held-out scores to keep a {name} rate by; export the detector again")
    if _allowed(n, rate) < 1:
        raise CalibrationError(
            f"a {name} rate of {rate:g} takes at least {images_needed(rate)} held-out images (n >= 1/{kind} - 1) and "
            f"there are {n}; ask for {smallest_rate(n)} or more, or hold out more images"
        )


def images_needed(rate: float) -> int:
    """Returns how many held-out images it takes for a p-value at or below `rate`."""
    return math.ceil(round(1 / max(rate, 1e-15), 6)) - 1


def _allowed(images: int, rate: float) -> int:
    """Returns how many of n + 1 may lie above; 100 * 0.29 must be 29."""
    return math.floor((images + 1) * rate * (1 + 1e-12))


def benjamini_hochberg(chances: ArrayLike, fdr: float) -> float | None:
    """Returns the largest p-value that counts as a discovery, or None if none does.

    Of the images at or below it, a share of at most `fdr` are normal on average (Benjamini and Hochberg, 1995); that
    this holds for split-conformal p-values, which share their reference, is shown by Bates et al. (2023).

    Args:
        chances: p-values of all images in question, any shape.
        fdr: false-discovery rate, between 0 and 1.
    """
    ordered = np.sort(np.asarray(chances, np.float64), axis=None)
    ranks = np.arange(1, len(ordered) + 1)
    # A rate such as 0.1 has no exact form in binary; 2 / 20 must not miss 0.1 by the last bit.
    passing = ordered[ordered <= fdr * ranks / len(ordered) * (1 + 1e-12)]
    return float(passing[-1]) if len(passing) else None


def smallest_rate(images: int) -> str:
    """Returns the smallest false-alarm rate that `images` held-out images can promise, rounded up to 3 digits."""
    rate = 1 / (images + 1)
    step = 10.0 ** (math.floor(math.log10(rate)) - 2)
    return f"{math.ceil(rate / step - 1e-9) * step:.3g}"
