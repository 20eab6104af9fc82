"""Training that leaves out what stands out, so that anomalies in the set are not learnt; no share of them is assumed.

Two rounds. A scout, a smaller network that is given little time, learns what most images have in common before it
could memorise single ones; what it finds far above the rest is left out while it goes on, so that anomalies move
further away while odd but normal images come to be learnt. The network proper starts anew without what stood out at
the end, and looks again while it is trained: what it finds like the others is taken back.

After two-round rejection and dynamic rejection (arXiv 2511.21378), with a limit that follows the spread of the scores
instead of a rate of contamination: up to a fifth of the images may be anomalies before they blur the measure itself.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adtrain.settings import Settings


class Look(NamedTuple):
    """A look at all training images; limits as `within` takes them."""

    done: float  # share of the epochs done
    out: float  # beyond this limit an image is left out
    back: float  # within this limit an image that was left out is taken back


Looks = tuple[Look, ...]

# Beside what is left out, what is like it comes closer to the rest, so coming back takes more than staying.
SCOUT_LOOKS: Looks = (
    Look(0.4, 2.5, 1.7),
    Look(0.5, 3.0, 2.0),
    Look(0.6, 3.5, 2.3),
    Look(0.8, 4.5, 3.5),
    Look(1, 5.0, 4.2),
)
# The scout has said what stands out; the network adds only what is plainly far, and takes back more at every look, for
# the learning rate falls, and what comes back late is hardly learnt by heart.
LOOKS: Looks = (
    Look(0.25, 7.0, 4.0),
    Look(0.4, 7.0, 4.5),
    Look(0.55, 7.0, 5.0),
    Look(0.7, 7.0, 5.5),
    Look(0.85, 8.0, 6.5),
)
# Below this many images a spread says little.
MIN_IMAGES = 20

_SCOUT_LATENT = 8
# Share of the images that stand out above which the network proper does not learn to repair damage: it would be slow to
# learn rare images, and where many stand out, odd but normal ones among them must be learnt to be told from anomalies.
MANY = 0.01
# The scout's epochs as a share of the network's.
SCOUT_EPOCHS = 0.4
# The scout's learning rate as a multiple of the network's; it has little time.
SCOUT_HASTE = 2.0


def scout_settings(settings: Settings) -> Settings:
    """Returns the settings of the first round."""
    return replace(
        settings,
        repair=False,
        filters=tuple(max(1, count // 2) for count in settings.filters),
        latent=min(settings.latent, _SCOUT_LATENT),
        epochs=max(1, round(settings.epochs * SCOUT_EPOCHS)),
        learning_rate=settings.learning_rate * SCOUT_HASTE,
    )


def by_epoch(looks: Looks, epochs: int) -> dict[int, Look]:
    """Returns the looks by the number of epochs done, for a training of so many."""
    numbers = {max(1, round(look.done * epochs)): look for look in looks}
    # What a look leaves out must still change the training, unless it is the last word of a scout.
    return {number: look for number, look in numbers.items() if number < epochs or look.done == 1}


def keep(scores: NDArray[np.float32], was_kept: NDArray[np.bool_], look: Look) -> NDArray[np.bool_]:
    """Returns which images to learn from after a look, (n,), by their scores and by whether they were kept before."""
    return within(scores, look.out) & (was_kept | within(scores, look.back))


def within(scores: NDArray[np.float32], limit: float) -> NDArray[np.bool_]:
    """Returns which of the scores, (n,), do not stand out; (n,).

    The measure is the distance between the median and the 0.8 quantile of the logarithms: a score stands out if its
    logarithm lies more than `limit` such distances above the median.
    """
    logarithms = np.log(scores.astype(np.float64) + np.finfo(np.float32).tiny)
    median, upper = np.quantile(logarithms, (0.5, 0.8))
    inside: NDArray[np.bool_] = logarithms <= median + limit * (upper - median)
    return inside if len(scores) >= MIN_IMAGES else np.ones_like(inside)
