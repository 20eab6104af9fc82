"""Rewrites of the input: pixels become floats in one step.

Each row has a scale, and all are the same. With one scale for all, ONNX Runtime takes the first layer for a quantized
one: 1.21.0 and 1.21.1 then round its weights to eight bits (`WeightBiasQuantization`), which shifts scores by a
hundredth and more. None of its optimizers takes up a scale by rows.
"""

from typing import Any

import numpy as np
import onnx_ir as ir
from onnxscript.rewriter.pattern import RewriteRule

from adexport.rewrites.constants import constant, is_constant, numbers, shape_of

# One row's scale would be one for all.
_ROWS = 2


def _cast_and_scale(op: Any, image: ir.Value, scale: ir.Value) -> Any:
    return op.Mul(op.Cast(image, to=ir.DataType.FLOAT.value), scale)


def _dequantize(op: Any, image: ir.Value, scale: ir.Value) -> Any:
    # The same product in float32; ONNX Runtime's own kernel for it takes a twentieth of the time.
    sides = shape_of(image)
    if sides is None or sides[0] < _ROWS or not is_constant(scale) or numbers(scale).size != 1:
        return None
    if image.dtype is not ir.DataType.UINT8:
        return None
    scales = np.full(sides[0], numbers(scale).item(), np.float32)
    return op.DequantizeLinear(image, constant(op, scales, image, "scale"), axis=1)


dequantize = RewriteRule(_cast_and_scale, _dequantize)
