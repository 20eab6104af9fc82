"""Rewrite of the light: curves down the picture times profiles across it are one product of matrices."""

from typing import Any

import numpy as np
import onnx_ir as ir
from onnxscript.rewriter.pattern import RewriteRule

from adexport.rewrites.constants import constant, is_constant, numbers


def _sum_of_products(op: Any, x: ir.Value, shape: ir.Value, curves: ir.Value, axes: ir.Value) -> Any:
    profiles = op.Reshape(x, shape)
    return op.ReduceSum(op.Mul(profiles, curves), axes, keepdims=0)


def _product(op: Any, x: ir.Value, shape: ir.Value, curves: ir.Value, axes: ir.Value) -> Any:
    if not is_constant(shape, curves, axes) or numbers(axes).tolist() != [2] or numbers(curves).ndim != 3:
        return None
    sides = numbers(shape)
    if len(sides) != 4 or sides[1] != 1 or numbers(curves).shape[1:] != (sides[2], 1):
        return None
    profiles = op.Reshape(x, constant(op, np.delete(sides, 1), shape, "profiles"))
    return op.MatMul(constant(op, numbers(curves)[..., 0], curves, "matrix"), profiles)


surface = RewriteRule(_sum_of_products, _product)
