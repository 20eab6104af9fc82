"""Rewrites of batch normalisation: after a leaky ReLU it is a scale and a shift, which the next layer takes over.

A layer L is linear: L(scale x + shift) = L'(x) + L(shift), with the scale in the weights of L'. Where L pads with
zeros, L(shift) differs near the border, so it is a constant map of the layer's output instead of a bias.
"""

from typing import Any

import numpy as np
import onnx_ir as ir
from onnxscript.rewriter.pattern import RewriteRule

from adexport.rewrites.constants import (
    attributes_of,
    computed,
    constant,
    is_constant,
    is_plain,
    numbers,
    others_of,
    shape_of,
)


def _normalized(op: Any, x: ir.Value, scale: ir.Value, shift: ir.Value) -> Any:
    return op.Add(op.Mul(x, scale), shift)


def _into(layer: str) -> RewriteRule:
    """Returns the rewrite for a layer of pictures: Conv or ConvTranspose."""
    # The axis of the weights along which the layer's input channels lie.
    inputs = {"Conv": 1, "ConvTranspose": 0}[layer]

    def pattern(op: Any, x: ir.Value, scale: ir.Value, shift: ir.Value, weights: ir.Value) -> Any:
        return getattr(op, layer)(
            _normalized(op, x, scale, shift), weights,
            _allow_other_inputs=True, _allow_other_attributes=True, _outputs=["linear"],
        )  # fmt: skip

    def replacement(op: Any, x: ir.Value, scale: ir.Value, shift: ir.Value, weights: ir.Value, linear: ir.Value) -> Any:
        sides, bias = shape_of(x), others_of(linear, 2)
        if sides is None or not is_constant(scale, shift, weights, *bias) or not is_plain(attributes_of(linear)):
            return None
        by_channel = (1, sides[0], 1, 1)
        if numbers(scale).shape != by_channel or numbers(shift).shape != by_channel or not numbers(scale).all():
            return None
        along = [1, 1, 1, 1]
        along[inputs] = -1
        scaled = constant(op, numbers(weights) * numbers(scale).reshape(along), linear, "weights")
        shifted = np.broadcast_to(numbers(shift), (1, *sides)).astype(np.float32)
        attributes = attributes_of(linear)
        offset = computed(layer, shifted, numbers(weights), *map(numbers, bias), **attributes)
        if offset.size <= shifted.size:
            return op.Add(getattr(op, layer)(x, scaled, **attributes), constant(op, offset, linear, "offset"))
        # The map would be larger than the picture that the shift is added to: then only the scale moves on.
        before = constant(op, numbers(shift) / numbers(scale), linear, "shift")
        return getattr(op, layer)(op.Add(x, before), scaled, *bias, **attributes)

    return RewriteRule(pattern, replacement)


def _into_dense(op: Any, x: ir.Value, scale: ir.Value, shift: ir.Value, shape: ir.Value, weights: ir.Value) -> Any:
    return op.MatMul(op.Reshape(_normalized(op, x, scale, shift), shape), weights, _outputs=["linear"])


def _scaled_dense(
    op: Any, x: ir.Value, scale: ir.Value, shift: ir.Value, shape: ir.Value, weights: ir.Value, linear: ir.Value
) -> Any:
    sides = shape_of(x)
    if sides is None or not is_constant(scale, shift, shape, weights):
        return None
    if numbers(shape).size != 2 or numbers(weights).shape[0] != np.prod(sides):  # not the whole picture in one vector
        return None
    each = [np.broadcast_to(numbers(value), (1, *sides)).reshape(1, -1) for value in (scale, shift)]
    scaled = numbers(weights) * each[0].T
    offset = (each[1].astype(np.float64) @ numbers(weights).astype(np.float64)).astype(np.float32)
    dense = op.MatMul(op.Reshape(x, shape), constant(op, scaled, linear, "weights"))
    return op.Add(dense, constant(op, offset[0], linear, "offset"))


def _two_sums(op: Any, x: ir.Value, first: ir.Value, second: ir.Value) -> Any:
    return op.Add(op.Add(x, first), second)


def _one_sum(op: Any, x: ir.Value, first: ir.Value, second: ir.Value) -> Any:
    if not is_constant(first, second):
        return None
    return op.Add(x, constant(op, numbers(first) + numbers(second), first, "both"))


into_conv: RewriteRule = _into("Conv")
into_conv_transpose: RewriteRule = _into("ConvTranspose")
into_dense = RewriteRule(_into_dense, _scaled_dense)
add_once = RewriteRule(_two_sums, _one_sum)
