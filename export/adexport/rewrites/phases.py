"""Rewrite for the int8 graph: a transposed convolution becomes a plain one, which ONNX Runtime has int8 kernels for.

A transposed convolution of stride 2 makes four pixels, its phases, of each place. A plain convolution makes them as
four times the channels; then they are moved to their places. They are moved channels last, where a pixel's channels are
one run of memory, and by transposing, which works on int8 as well: `DepthToSpace` took five times as long.
"""

from typing import Any

import numpy as np
import onnx_ir as ir
from onnxscript.rewriter.pattern import RewriteRule

from adexport.rewrites.constants import attributes_of, constant, is_constant, is_plain, numbers, others_of, shape_of

# By phase: (place in the plain kernel of two, row of the transposed kernel of three). Output pixel 2i takes input
# pixels i - 1 and i by rows 2 and 0, pixel 2i + 1 takes input pixel i by row 1.
_TAPS = (((0, 2), (1, 0)), ((1, 1),))
# What moves the phases of a convolution's output to their places; channel c there is made of its channels c, c + n, ...
MOVES = ("Transpose", "Reshape", "Transpose", "Reshape", "Transpose")


def _transposed(op: Any, x: ir.Value, weights: ir.Value) -> Any:
    return op.ConvTranspose(x, weights, _allow_other_inputs=True, _allow_other_attributes=True, _outputs=["transposed"])


def _by_phases(op: Any, x: ir.Value, weights: ir.Value, transposed: ir.Value) -> Any:
    attributes, biases, sides = attributes_of(transposed), others_of(transposed, 2), shape_of(x)
    if not is_constant(weights, *biases) or sides is None:
        return None
    kernel = numbers(weights)
    if kernel.shape[2:] != (3, 3) or not is_plain(attributes, strides=[2, 2], pads=[0, 0, 1, 1]):
        return None
    inputs, outputs = kernel.shape[:2]
    phases = np.zeros((2, 2, outputs, inputs, 2, 2), np.float32)
    for down in (0, 1):
        for across in (0, 1):
            for row, old_row in _TAPS[down]:
                for column, old_column in _TAPS[across]:
                    phases[down, across, :, :, row, column] = kernel[:, :, old_row, old_column].T
    plain = constant(op, phases.reshape(4 * outputs, inputs, 2, 2), transposed, "phases")
    repeated = [constant(op, np.tile(numbers(bias), 4), transposed, "bias") for bias in biases]
    made = op.Conv(x, plain, *repeated, strides=[1, 1], pads=[1, 1, 0, 0])
    _, height, width = sides
    split = constant(op, np.array([-1, height, width, 2, 2 * outputs]), transposed, "split")
    joined = constant(op, np.array([-1, 2 * height, 2 * width, outputs]), transposed, "joined")
    rows = op.Transpose(op.Reshape(op.Transpose(made, perm=[0, 2, 3, 1]), split), perm=[0, 1, 3, 2, 4])
    return op.Transpose(op.Reshape(rows, joined), perm=[0, 3, 1, 2])


by_phases = RewriteRule(_transposed, _by_phases)
