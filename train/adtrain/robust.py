"""Training that leaves out what stands out, so that anomalies in the set are not learnt; no share of them is assumed.

Two rounds. A scout, a smaller network that is given little time, learns what most images have in common before it
could memorise single ones; in every batch it passes over the images it reconstructs worst. What it finds far above the
rest is left out when the network proper starts anew. That one looks at all training images as it goes on: odd but
normal images come closer to those it learns from and are taken back, anomalies stay away.

After two-round rejection, trimmed losses and dynamic rejection (arXiv 2511.21378), with limits that follow the spread
of the images that are learnt from, instead of a rate of contamination.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from adexport.scoring import Light
from adtrain.settings import BLUR, Draft, Settings

# Limits are in the units of `within`.
# Beyond this for the scout, an image is left out at first; far too many are, rather than an anomaly too few.
SCOUT_LIMIT = 2.5
# After these shares of its epochs the network looks, and takes back what it finds within the limit: more at every look,
# for the learning rate falls, and what comes back late is hardly learnt by heart.
LOOKS = ((0.2, 5.0), (0.4, 5.5), (0.6, 6.0), (0.8, 6.5))
# Beyond this for the network, an image that was kept is left out after all.
OUT = 9.0
# Below this many images a spread says little.
MIN_IMAGES = 20

# Where more than this share of the images lies beyond this limit for the scout, the network does not learn to repair
# damage: it would be slow to learn rare images, and odd but normal ones must be learnt to be told from anomalies.
MANY = 0.02
MANY_LIMIT = 4.5

_LEAST_SPREAD = 0.01  # of the logarithms, so of a hundredth

_SCOUT_LATENT = 4
_SCOUT_EPOCHS = 0.2  # as a share of the network's
_SCOUT_TRIM = 0.15


def scout_epochs(epochs: int) -> int:
    """Returns the epochs of the first round before a training of so many."""
    return max(1, round(epochs * _SCOUT_EPOCHS))


def scout_settings(draft: Draft, light: Light) -> Settings:
    """Returns the settings of the first round, which settles what the draft leaves open."""
    return replace(
        draft.settled(light, many=False),
        repair=False,
        filters=tuple(max(1, count // 2) for count in draft.filters),
        latent=min(draft.latent or _SCOUT_LATENT, _SCOUT_LATENT),
        blur=BLUR if draft.blur is None else draft.blur,
        epochs=scout_epochs(draft.epochs),
        # Of tiles, the hardest are those with something to see.
        trim=0.0 if draft.tile else _SCOUT_TRIM,
    )


def look_after(epochs: int) -> dict[int, float]:
    """Returns the limits for coming back by the number of epochs done, for a training of so many; never at its end."""
    return {number: limit for share, limit in LOOKS if 1 <= (number := round(share * epochs)) < epochs}


def keep(scores: NDArray[np.float32], was_kept: NDArray[np.bool_], back: float) -> NDArray[np.bool_]:
    """Returns which images to learn from after a look, (n,), by their scores and by whether they were kept before."""
    # Beside what is left out, what is like it comes closer to the rest, so coming back takes more than staying.
    return within(scores, OUT, was_kept) & (was_kept | within(scores, back, was_kept))


def within(scores: NDArray[np.float32], limit: float, reference: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Returns which of the scores, (n,), do not stand out from those in `reference`, by default from all; (n,).

    The measure is the distance between the median and the 0.8 quantile of the reference's logarithms: a score stands
    out if its logarithm lies more than `limit` such distances above the median.
    """
    logarithms = np.log(scores.astype(np.float64) + np.finfo(np.float32).tiny)
    if len(logarithms) < MIN_IMAGES:
        return np.ones_like(logarithms, bool)
    median, upper = np.quantile(logarithms if reference is None else logarithms[reference], (0.5, 0.8))
    # Images that are all but equal have no spread to speak of.
    inside: NDArray[np.bool_] = logarithms <= median + limit * max(upper - median, _LEAST_SPREAD)
    return inside
