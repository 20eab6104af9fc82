"""Training that leaves out what stands out, so that anomalies in the set are not learnt; no share of them is assumed.

Early in training no single image is memorised yet, and that is when anomalies show. At four points of the training all
training images are scored; those far above the rest are left out from there on, and taken back if a later look finds
them like the others. The limit is loose at first and wider at every look: what is left out is not learnt any more, so
anomalies move away, while odd but normal images, taken back, come to be learnt. After the idea of dynamic rejection
(arXiv 2511.21378), with a limit that follows the spread of the scores instead of a rate of contamination.
"""

import numpy as np
from numpy.typing import NDArray

# (share of the epochs done, limit in median absolute deviations of the logarithm of the scores)
LOOKS = ((0.2, 3.0), (0.35, 5.0), (0.5, 7.0), (0.7, 9.0))
# Below this many images a spread says little.
MIN_IMAGES = 20


def looks(epochs: int) -> dict[int, float]:
    """Returns the limit by the number of epochs done, for a training of so many."""
    return {done: limit for share, limit in LOOKS if 0 < (done := round(share * epochs)) < epochs}


def within(scores: NDArray[np.float32], limit: float) -> NDArray[np.bool_]:
    """Returns which of the scores, (n,), are no further than `limit` deviations above the median; (n,)."""
    logarithms = np.log(scores.astype(np.float64) + np.finfo(np.float32).tiny)
    median = np.median(logarithms)
    deviation = np.median(np.abs(logarithms - median))
    inside: NDArray[np.bool_] = logarithms <= median + limit * deviation
    return inside if len(scores) >= MIN_IMAGES else np.ones_like(inside)
