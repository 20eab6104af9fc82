"""Rewrites of the decoder: its first two layers are one, and transposed convolutions become plain ones."""

from typing import Any

import numpy as np
import onnx_ir as ir
from onnxscript.rewriter.pattern import RewriteRule

from adexport.rewrites.constants import attributes_of, computed, constant, is_constant, numbers, others_of


def _dense_then_transposed(
    op: Any, x: ir.Value, dense: ir.Value, bias: ir.Value, shape: ir.Value, weights: ir.Value
) -> Any:
    picture = op.Reshape(op.Add(op.MatMul(x, dense), bias), shape)
    return op.ConvTranspose(
        picture, weights, _allow_other_inputs=True, _allow_other_attributes=True, _outputs=["linear"]
    )


def _one_dense(
    op: Any, x: ir.Value, dense: ir.Value, bias: ir.Value, shape: ir.Value, weights: ir.Value, linear: ir.Value
) -> Any:
    # Nothing lies between the two but their sum of products, so each row of the dense weights may go through the
    # convolution beforehand.
    others = others_of(linear, 2)
    if not is_constant(dense, bias, shape, weights, *others):
        return None
    attributes = attributes_of(linear)
    sides = numbers(shape)[1:]
    rows = computed("ConvTranspose", numbers(dense).reshape(-1, *sides), numbers(weights), **attributes)
    offset = computed(
        "ConvTranspose", numbers(bias).reshape(1, *sides), numbers(weights), *map(numbers, others), **attributes
    )
    flat = op.MatMul(x, constant(op, rows.reshape(len(rows), -1), dense, "transposed"))
    biased = op.Add(flat, constant(op, offset.ravel(), bias, "transposed"))
    return op.Reshape(biased, constant(op, np.array([-1, *rows.shape[1:]]), shape, "transposed"))


def _transposed(op: Any, x: ir.Value, weights: ir.Value) -> Any:
    return op.ConvTranspose(x, weights, _allow_other_inputs=True, _allow_other_attributes=True, _outputs=["transposed"])


def _conv_then_depth_to_space(op: Any, x: ir.Value, weights: ir.Value, transposed: ir.Value) -> Any:
    """Replaces a 3x3 transposed convolution of stride 2 by a 2x2 convolution that makes the four output phases.

    With padding (0, 0, 1, 1) output pixel 2i + p takes input pixels i - 1 and i by the kernel's rows 2 and 0 where p is
    0, and input pixel i by row 1 where p is 1.
    """
    attributes = attributes_of(transposed)
    others = others_of(transposed, 2)
    kernel = numbers(weights) if is_constant(weights, *others) else np.empty((0, 0, 0, 0))
    if kernel.shape[2:] != (3, 3) or list(attributes["strides"]) != [2, 2] or list(attributes["pads"]) != [0, 0, 1, 1]:
        return None
    inputs, outputs = kernel.shape[:2]
    taps = (((0, 2), (1, 0)), ((1, 1),))  # by phase: (place in the new kernel, row of the old)
    phases = np.zeros((2, 2, outputs, inputs, 2, 2), np.float32)
    for down in (0, 1):
        for across in (0, 1):
            for row, old_row in taps[down]:
                for column, old_column in taps[across]:
                    phases[down, across, :, :, row, column] = kernel[:, :, old_row, old_column].T
    # DepthToSpace in its mode CRD takes channel (output, down, across).
    ordered = phases.transpose(2, 0, 1, 3, 4, 5).reshape(4 * outputs, inputs, 2, 2)
    biases = [constant(op, np.repeat(numbers(bias), 4), bias, "phases") for bias in others]
    conv = op.Conv(x, constant(op, ordered, weights, "phases"), *biases, strides=[1, 1], pads=[1, 1, 0, 0])
    return op.DepthToSpace(conv, blocksize=2, mode="CRD")


one_dense = RewriteRule(_dense_then_transposed, _one_dense)
conv_then_depth_to_space = RewriteRule(_transposed, _conv_then_depth_to_space)
