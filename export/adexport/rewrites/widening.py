"""Rewrites of the decoder's dense layer for the int8 graph, which makes a whole picture of a few numbers.

It is bound by memory, so each pass over the picture that it saves counts. With one more number that is always one, its
bias is one more row of its weights. Pixels are made channels last, as integer kernels read them. And it makes the
border that the next convolution would pad with: a shift before the convolution is then part of the bias behind it, and
the border is what becomes zero by the shift.
"""

from typing import Any

import numpy as np
import onnx_ir as ir
from onnxscript.rewriter.pattern import RewriteRule

from adexport.rewrites.constants import attributes_of, constant, is_constant, is_plain, numbers, others_of

# The border's weights are stored like all others. Beyond this the file grows more than speed is worth.
LARGEST_GROWTH = 1.1


def _biased(op: Any, x: ir.Value, weights: ir.Value, bias: ir.Value) -> Any:
    return op.Add(op.MatMul(x, weights), bias)


def _one_product(op: Any, x: ir.Value, weights: ir.Value, bias: ir.Value) -> Any:
    if not is_constant(weights, bias) or numbers(weights).ndim != 2 or x.shape is None or len(x.shape) != 2:
        return None
    rows, columns = numbers(weights).shape
    if columns <= rows or numbers(bias).size != columns:
        return None
    pads, one = np.array([0, 0, 0, 1]), np.array(1, np.float32)
    with_one = op.Pad(x, constant(op, pads, bias, "pads"), constant(op, one, bias, "one"))
    return op.MatMul(with_one, constant(op, np.vstack([numbers(weights), numbers(bias).ravel()]), weights, "biased"))


def _shifted(
    op: Any, x: ir.Value, pads: ir.Value, one: ir.Value, weights: ir.Value, shape: ir.Value, shift: ir.Value,
    kernel: ir.Value,
) -> Any:  # fmt: skip
    picture = op.Reshape(op.MatMul(op.Pad(x, pads, one), weights), shape)
    bent = op.LeakyRelu(picture, _allow_other_attributes=True, _outputs=["bent"])
    return op.Conv(
        op.Add(bent, shift), kernel, _allow_other_inputs=True, _allow_other_attributes=True, _outputs=["made"]
    )


def _bordered(
    op: Any, x: ir.Value, pads: ir.Value, one: ir.Value, weights: ir.Value, shape: ir.Value, shift: ir.Value,
    kernel: ir.Value, bent: ir.Value, made: ir.Value,
) -> Any:  # fmt: skip
    biases, attributes = others_of(made, 2), attributes_of(made)
    if not is_constant(weights, shape, shift, kernel, *biases) or numbers(shape).size != 4:
        return None
    channels, height, width = numbers(shape)[1:].tolist()
    if numbers(shift).shape != (1, channels, 1, 1) or not is_plain(attributes, strides=[1, 1]):
        return None
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    alpha = attributes_of(bent).get("alpha", 0.01)
    if (top + height + bottom) * (left + width + right) > LARGEST_GROWTH * height * width:
        return None
    border = -numbers(shift).reshape(-1, 1, 1)
    picture = np.zeros((len(numbers(weights)), channels, top + height + bottom, left + width + right), np.float32)
    # What the leaky ReLU makes the border of; the last row is the bias.
    picture[-1] = np.where(border < 0, border / alpha, border)
    picture[:, :, top : top + height, left : left + width] = numbers(weights).reshape(-1, channels, height, width)
    last = picture.transpose(0, 2, 3, 1)
    flat = op.MatMul(op.Pad(x, pads, one), constant(op, last.reshape(len(last), -1), weights, "bordered"))
    wide = op.Reshape(flat, constant(op, np.array([-1, *last.shape[1:]]), shape, "bordered"))
    shifted = numbers(kernel).astype(np.float64).sum(axis=(2, 3)) @ numbers(shift).ravel()
    bias = (shifted + sum(map(numbers, biases))).astype(np.float32)
    return op.Conv(
        op.Transpose(op.LeakyRelu(wide, alpha=alpha), perm=[0, 3, 1, 2]), kernel, constant(op, bias, kernel, "bias"),
        strides=[1, 1], pads=[0, 0, 0, 0],
    )  # fmt: skip


bias_as_weights = RewriteRule(_biased, _one_product)
with_border = RewriteRule(_shifted, _bordered)
