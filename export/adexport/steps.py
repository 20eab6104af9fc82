"""The steps of eight bits that values are rounded to: one step a channel, and the byte that stands for zero."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adexport.observe import Values

STEPS = 255
# Weights are signed and have no zero of their own.
LARGEST_WEIGHT = 127
# Two weights of one output and one sign come to at most so much. Processors with AVX2 or AVX-512 and without VNNI add
# two products of a byte and a weight in sixteen bits, and cut off what lies beyond: 255 * 128 does not.
LARGEST_PAIR = 128
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


def weight_steps(weights: Values, least: Values | float = 0.0) -> Values:
    """Returns the step that each output's weights are rounded to, (outputs,), so that no pair is beyond `LARGEST_PAIR`.

    Any two of them count as a pair, since which are added first is the kernel's affair. A weight that stands alone may
    reach `LARGEST_WEIGHT`.

    Args:
        weights: what a sum of bytes is weighted by, (outputs, inputs).
        least: the finest step that may be, (outputs,).
    """
    alone, pair = np.abs(weights).max(axis=1) / LARGEST_WEIGHT, _largest_pair(weights)
    finest = np.maximum(np.maximum(alone, pair / LARGEST_PAIR), np.maximum(least, np.finfo(np.float32).tiny))
    fits = _largest_pair(np.round(weights / finest[:, np.newaxis])) <= LARGEST_PAIR
    # Rounding adds half a step to each of the two at most.
    return np.asarray(np.where(fits, finest, np.maximum(finest, pair / (LARGEST_PAIR - 1))))


def narrow_weights(weights: Values, steps: Values) -> NDArray[np.int8]:
    """Returns weights as whole steps, rounded so that each output's errors add up to half a step at most.

    What they weight is alike in large part, so what is left of their errors is the sum. Those that were rounded
    furthest are rounded the other way; not where a pair would become too large.

    Args:
        weights: what a sum of bytes is weighted by, (outputs, inputs).
        steps: as `weight_steps` returns them, (outputs,).
    """
    exact = weights / steps[:, np.newaxis]
    rounded = np.round(exact)
    excess = np.round((rounded - exact).sum(axis=1, keepdims=True))
    other = rounded - np.sign(excess)
    sizes = np.abs(rounded)
    may = np.abs(other) <= np.maximum(sizes, LARGEST_PAIR - sizes.max(axis=1, keepdims=True))
    gain = np.where(may, np.abs(rounded - exact) - np.abs(other - exact), -np.inf)
    chosen = np.argsort(np.argsort(-gain, axis=1), axis=1) < np.abs(excess)
    return np.where(chosen & may, other, rounded).astype(np.int8)


def _largest_pair(weights: Values) -> Values:
    """Returns the largest sum of two of each output's weights of one sign, (outputs,), without the sign."""
    ordered = np.sort(weights, axis=1)
    return np.asarray(
        np.maximum(np.maximum(ordered[:, -2:], 0).sum(axis=1), np.maximum(-ordered[:, :2], 0).sum(axis=1))
    )


def _bounded(steps: Values) -> Values:
    return np.asarray(np.maximum(steps, _SMALLEST_SHARE * (steps.max() or 1.0)))
