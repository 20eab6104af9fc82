"""Rewrites of the input: pixels become floats in one step."""

from typing import Any

import numpy as np
import onnx_ir as ir
from onnxscript.rewriter.pattern import RewriteRule

from adexport.rewrites.constants import constant, is_constant, numbers


def _cast_and_scale(op: Any, image: ir.Value, scale: ir.Value) -> Any:
    return op.Mul(op.Cast(image, to=ir.DataType.FLOAT.value), scale)


def _dequantize(op: Any, image: ir.Value, scale: ir.Value) -> Any:
    # The same product in float32; ONNX Runtime's own kernel for it takes a twentieth of the time.
    if not is_constant(scale) or numbers(scale).size != 1 or image.dtype is not ir.DataType.UINT8:
        return None
    zero = constant(op, np.array(0, np.uint8), image, "zero")
    return op.DequantizeLinear(image, constant(op, numbers(scale).reshape(()), image, "scale"), zero)


dequantize = RewriteRule(_cast_and_scale, _dequantize)
