"""Rewrites of layout: between dense layers and pictures nothing is transposed, and no shape is computed.

Keras flattens pictures channels last; ONNX keeps channels first, so the converter transposes before and after the
latent vector, and asks for the batch size at run time. Reordering the dense layers' weights once does the same.
"""

from typing import Any

import numpy as np
import onnx_ir as ir
from onnxscript.rewriter.pattern import RewriteRule

from adexport.rewrites.constants import constant, is_constant, numbers, shape_of


def _flattened(op: Any, x: ir.Value, shape: ir.Value, weights: ir.Value) -> Any:
    return op.MatMul(op.Reshape(op.Transpose(x, perm=[0, 2, 3, 1]), shape), weights)


def _flatten_channels_first(op: Any, x: ir.Value, shape: ir.Value, weights: ir.Value) -> Any:  # noqa: ARG001
    sides = shape_of(x)
    if sides is None or not is_constant(weights) or numbers(weights).shape[0] != np.prod(sides):
        return None
    channels, height, width = sides
    by_place = numbers(weights).reshape(height, width, channels, -1).transpose(2, 0, 1, 3)
    ordered = by_place.reshape(channels * height * width, -1)
    flat = op.Reshape(x, constant(op, np.array([-1, len(ordered)]), x, "flat"))
    return op.MatMul(flat, constant(op, ordered, weights, "channels_first"))


def _unflattened(op: Any, x: ir.Value, weights: ir.Value, bias: ir.Value, shape: ir.Value) -> Any:
    return op.Transpose(op.Reshape(op.Add(op.MatMul(x, weights), bias), shape), perm=[0, 3, 1, 2])


def _unflatten_channels_first(op: Any, x: ir.Value, weights: ir.Value, bias: ir.Value, shape: ir.Value) -> Any:
    if not is_constant(weights, bias, shape):
        return None
    _, height, width, channels = numbers(shape)
    order = np.arange(height * width * channels).reshape(height, width, channels).transpose(2, 0, 1).ravel()
    dense = op.MatMul(x, constant(op, numbers(weights)[:, order], weights, "channels_first"))
    biased = op.Add(dense, constant(op, numbers(bias)[order], bias, "channels_first"))
    return op.Reshape(biased, constant(op, np.array([-1, channels, height, width]), shape, "channels_first"))


flatten_channels_first = RewriteRule(_flattened, _flatten_channels_first)
unflatten_channels_first = RewriteRule(_unflattened, _unflatten_channels_first)
