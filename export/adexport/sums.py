"""Means over many numbers whose rounding does not grow with their number: the only long ones in the graph.

ONNX Runtime adds up in float32, one number after the other. A long sum is large beside what is added to it, and each
addition rounds the same way where the numbers are alike: the mean of a map of 256x256 was off by 9e-5. Here no sum has
more than 256 terms; sums of sums are again as short. It is off by a few times the rounding of one number.
"""

import math
from typing import Any

import numpy as np
import tensorflow as tf

LONGEST = 256
# Shorter pieces than this would leave too many of them; then the numbers are filled up with zeros.
_SHORTEST = 16
_ALIGNED = 4  # floats in 16 bytes


def mean_behind(values: Any, kept: int) -> Any:
    """Returns the mean over all axes behind the first `kept`, float32 of their shape.

    Args:
        values: float32, its shape known but for the batch.
        kept: how many axes stay, at least one.
    """
    front, count = tuple(values.shape[1:kept]), math.prod(values.shape[kept:])
    length = count
    while length > 1:
        # A row of another length begins at another place within 16 bytes for each picture of a batch, and ONNX Runtime
        # adds up from the next such border on: a score would depend on the picture's place.
        even = length + -length % _ALIGNED
        piece = _piece(even)
        pieces = -(-even // piece)
        if pieces * piece > length:
            values = tf.reshape(values, (-1, *front, length))
            values = tf.pad(values, [[0, 0]] * kept + [[0, pieces * piece - length]])
        values = tf.reshape(values, (-1, *front, pieces, piece))
        # A sum and a product, since the converter puts pooling in the place of some means.
        values = tf.reduce_sum(values, axis=-1)
        length = pieces
    return tf.reshape(values, (-1, *front)) * np.float32(1 / count)


def _piece(length: int) -> int:
    """Returns how long the pieces are that this many numbers are added up in."""
    if length <= LONGEST:
        return length
    divisor = max(piece for piece in range(1, LONGEST + 1) if length % piece == 0)
    return divisor if divisor >= _SHORTEST else LONGEST
