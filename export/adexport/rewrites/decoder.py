"""Rewrite of the decoder: its dense layer and its first transposed convolution are one dense layer."""

from typing import Any

import numpy as np
import onnx_ir as ir
from onnxscript.rewriter.pattern import RewriteRule

from adexport.rewrites.constants import attributes_of, computed, constant, is_constant, is_plain, numbers, others_of

# The one layer has as many weights as its output has pixels, for each element of the latent vector. Beyond this, as a
# multiple of those it replaces, the file grows more than speed is worth.
LARGEST_GROWTH = 2.5


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
    others, attributes = others_of(linear, 2), attributes_of(linear)
    if not is_constant(dense, bias, shape, weights, *others) or not is_plain(attributes):
        return None
    sides = numbers(shape)[1:]
    rows = computed("ConvTranspose", numbers(dense).reshape(-1, *sides), numbers(weights), **attributes)
    offset = computed(
        "ConvTranspose", numbers(bias).reshape(1, *sides), numbers(weights), *map(numbers, others), **attributes
    )
    if rows.size > LARGEST_GROWTH * (numbers(dense).size + numbers(weights).size):
        return None
    flat = op.MatMul(x, constant(op, rows.reshape(len(rows), -1), dense, "transposed"))
    biased = op.Add(flat, constant(op, offset.ravel(), bias, "transposed"))
    return op.Reshape(biased, constant(op, np.array([-1, *rows.shape[1:]]), shape, "transposed"))


one_dense = RewriteRule(_dense_then_transposed, _one_dense)
