"""Rewrites of the converted graph: the same scores by less work. Each is exact in real arithmetic."""

from collections.abc import Sequence

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass
from onnxscript.rewriter.pattern import RewriteRule

from adexport.rewrites import affine, blur, decoder, layout, light, phases, pixels, places, widening

# In this order: a later rule looks for what an earlier one leaves.
RULES = (
    pixels.dequantize,
    layout.flatten_channels_first,
    layout.unflatten_channels_first,
    decoder.one_dense,
    affine.into_conv,
    affine.into_conv_transpose,
    affine.into_dense,
    affine.add_once,
    blur.blur_one_channel,
    blur.blur_several_channels,
    light.surface,
)


# What int8 needs besides.
INT8_RULES = (
    *RULES,
    phases.by_phases,
    places.last_by_places,
    widening.bias_as_weights,
    widening.with_border,
    blur.blur_in_blocks,
)


def optimized(model: onnx.ModelProto, rules: Sequence[RewriteRule] = RULES) -> onnx.ModelProto:
    """Returns the graph with every rule applied where it fits; a graph that none fits comes back as it was."""
    for rule in rules:
        # The rules read static shapes, and each may leave values without.
        graph = ir.from_proto(onnx.shape_inference.infer_shapes(model))
        rule.apply_to_model(graph)
        RemoveUnusedNodesPass()(graph)
        model = ir.to_proto(graph)
    return model
