"""Rewrite for the int8 graph: the last layer is computed where the phases are, and only its few outputs are moved.

The transposed convolution before makes four pixels of each place. A place's four pixels contribute to sixteen of the
picture's, so its channels times one matrix are these contributions, and a transposed convolution of stride 2 adds up
what neighbouring places contribute. The leaky ReLU in between is a straight part and a bent one, a product for each:
leaky(x) = alpha x + (1 - alpha) relu(x), and on bytes a ReLU is the cheapest of passes.
"""

from typing import Any

import numpy as np
import onnx_ir as ir
from onnxscript.rewriter.pattern import RewriteRule

from adexport.rewrites.constants import attributes_of, constant, is_constant, is_plain, numbers, others_of, shape_of

# Rows and columns of the picture that a place of two by two pixels contributes to, with a kernel of three.
_REACH = 4


def _last(op: Any, made: ir.Value, split: ir.Value, joined: ir.Value, weights: ir.Value) -> Any:
    rows = op.Transpose(op.Reshape(op.Transpose(made, perm=[0, 2, 3, 1]), split), perm=[0, 1, 3, 2, 4])
    picture = op.Transpose(op.Reshape(rows, joined), perm=[0, 3, 1, 2])
    bent = op.LeakyRelu(picture, _allow_other_attributes=True, _outputs=["bent"])
    return op.ConvTranspose(
        bent, weights, _allow_other_inputs=True, _allow_other_attributes=True, _outputs=["transposed"]
    )


def _by_places(
    op: Any, made: ir.Value, split: ir.Value, joined: ir.Value, weights: ir.Value, bent: ir.Value, transposed: ir.Value
) -> Any:  # fmt: skip
    sides, biases = shape_of(made), others_of(transposed, 2)
    if sides is None or not is_constant(split, joined, weights, *biases):
        return None
    kernel = numbers(weights)
    if kernel.shape[2:] != (3, 3) or not is_plain(attributes_of(transposed), strides=[1, 1], pads=[1, 1, 1, 1]):
        return None
    channels, outputs = kernel.shape[:2]
    # With more outputs, moving the contributions costs more than moving the pixels.
    if sides[0] != 4 * channels or outputs > 1:
        return None
    each = np.zeros((2, 2, channels, outputs, _REACH, _REACH), np.float32)
    for down in (0, 1):
        for across in (0, 1):
            each[down, across, :, :, down : down + 3, across : across + 3] = kernel
    matrix = each.reshape(4 * channels, outputs * _REACH**2)
    alpha = np.float32(attributes_of(bent).get("alpha", 0.01))
    places = op.Transpose(made, perm=[0, 2, 3, 1])
    straight = op.MatMul(places, constant(op, alpha * matrix, transposed, "straight"))
    positive = op.MatMul(op.Relu(places), constant(op, (1 - alpha) * matrix, transposed, "positive"))
    contributions = op.Transpose(op.Add(straight, positive), perm=[0, 3, 1, 2])
    # Each contribution is put at its own row and column.
    own = np.tile(np.eye(_REACH**2, dtype=np.float32), (outputs, 1)).reshape(-1, 1, _REACH, _REACH)
    return op.ConvTranspose(
        contributions, constant(op, own, transposed, "own"), *biases,
        strides=[2, 2], pads=[1, 1, 1, 1], group=outputs,
    )  # fmt: skip


last_by_places = RewriteRule(_last, _by_places)
