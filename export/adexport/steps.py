"""The steps of eight bits that values are rounded to: one step a channel, and the byte that stands for zero."""

from dataclasses import dataclass

import numpy as np

from adexport.observe import Values

STEPS = 255
# Weights are signed and have no zero of their own.
LARGEST_WEIGHT = 127
# A channel is not scaled up further than this: one that never spoke would be scaled without bound.
_SMALLEST_SHARE = 1e-6


@dataclass(frozen=True)
class Steps:
    """How a value's channels are rounded: `round(value / step) + zero`, in 0..255.

    Args:
        step: of each channel, (channels,).
        zero: likewise, whole numbers.
    """

    step: Values
    zero: Values

    @property
    def is_one(self) -> bool:
        """Whether a step is one in every channel, and zero the same byte."""
        return bool((self.step == 1).all() and not np.ptp(self.zero))


def own_zeros(lowest: Values, highest: Values) -> Steps:
    """Returns steps for each channel's own range, both (channels,), zero included."""
    step = _bounded((highest - lowest) / STEPS)
    return Steps(step, np.round(-lowest / step))


def shared_zero(lowest: Values, highest: Values, influence: Values) -> Steps:
    """Returns steps whose zero is the same byte in every channel.

    Of all bytes it is the one that rounding disturbs the output least by: the sum of squared steps, each times the
    channel's influence.

    Args:
        lowest: of each channel, (channels,), zero included.
        highest: likewise.
        influence: the sum of the squared weights that a channel is multiplied by, (channels,).
    """

    def steps(zero: int) -> Values:
        return _bounded(np.maximum(highest / (STEPS - zero or np.inf), -lowest / (zero or np.inf)))

    lower, upper = (lowest < 0).any(), (highest > 0).any()
    zeros = range(int(lower), STEPS + 1 - int(upper))
    zero = min(zeros, key=lambda zero: float(np.sum(np.square(steps(zero)) * influence)))
    return Steps(steps(zero), np.full(len(lowest), float(zero)))


def _bounded(steps: Values) -> Values:
    return np.asarray(np.maximum(steps, _SMALLEST_SHARE * (steps.max() or 1.0)))
