"""One convolution in eight bits, in the QDQ form that every provider reads; each channel has a range of its own.

Integer kernels take one scale for all channels of a picture. So the scales of the input's channels are put into the
weights, which are scaled output by output anyway, and those of the output's channels are too: the convolution makes
whole steps of its output, which are widened channel by channel. It costs nothing at run time.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from adexport.equalize import CHANNELS_FIRST
from adexport.steps import STEPS, Steps, narrow_weights, weight_steps

CHANNELS_LAST = [0, 2, 3, 1]
# Biases, as multiples of the weights' steps, stay this far within 32 bits.
_LARGEST_BIAS = 2.0**30


def narrow_conv(graph: onnx.GraphProto, conv: onnx.NodeProto, last: str, read: Steps, made: Steps) -> None:
    """Puts a convolution in eight bits in the place of a float one.

    Args:
        graph: where it stands; changed in place.
        conv: the convolution, with constant weights.
        last: the value where what it makes is widened: its output, or behind nodes that only move pixels, which then
            move bytes. Channel c there holds the convolution's channels c, c + channels, and so on.
        read: steps of the channels of its input, which share their zero.
        made: steps of the channels of `last`.
    """
    constants = {each.name: numpy_helper.to_array(each).astype(np.float64) for each in graph.initializer}
    weights = constants[conv.input[1]]
    bias = constants[conv.input[2]] if len(conv.input) > 2 else np.zeros(len(weights))
    weights = weights * read.step[:, np.newaxis, np.newaxis]
    repeats = len(weights) // len(made.step)
    step, zero = np.tile(made.step, repeats), np.tile(made.zero, repeats)
    flat = weights.reshape(len(weights), -1)
    scale = weight_steps(flat, (np.abs(bias) + STEPS * step) / _LARGEST_BIAS)
    prefix = conv.output[0]

    def put(role: str, array: NDArray[Any]) -> str:
        graph.initializer.append(numpy_helper.from_array(array, f"{prefix}_{role}"))
        return f"{prefix}_{role}"

    one, read_zero = put("one", np.array(1, np.float32)), put("read_zero", np.array(read.zero[0], np.uint8))
    weight_scale = put("weight_scale", (scale / step).astype(np.float32))
    wide_weights = [
        put("weights", narrow_weights(flat, scale).reshape(weights.shape)),
        weight_scale, put("weight_zero", np.zeros(len(scale), np.int8)),
    ]  # fmt: skip
    # The output's zero points are part of the bias.
    wide_bias = [
        put("bias", np.round((bias + step * zero) / scale).astype(np.int32)),
        weight_scale, put("bias_zero", np.zeros(len(scale), np.int32)),
    ]  # fmt: skip
    narrow_output = [f"{prefix}_whole", one, put("zero", np.array(0, np.uint8))]

    convolution = onnx.NodeProto()
    convolution.CopyFrom(conv)
    convolution.input[:] = [f"{prefix}_wide_{role}" for role in ("read", "weights", "bias")]
    convolution.output[:] = narrow_output[:1]
    before = [
        *_rounded(graph, conv.input[0], f"{prefix}_read", read, [one, read_zero], put),
        helper.make_node("DequantizeLinear", [f"{prefix}_read", one, read_zero], convolution.input[:1]),
        helper.make_node("DequantizeLinear", wide_weights, convolution.input[1:2], axis=0),
        helper.make_node("DequantizeLinear", wide_bias, convolution.input[2:], axis=0),
        convolution,
        # What moves bytes reads them under the old name.
        helper.make_node("QuantizeLinear", narrow_output, [narrow_name(last) if last == prefix else prefix]),
    ]
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        nodes += before if node == conv else [node]
        if last != prefix and last in node.output:
            node.output[:] = [narrow_name(last)]
    del graph.node[:]
    graph.node.extend(nodes)


def narrow_name(name: str) -> str:
    """Returns the name of this value in bytes."""
    return f"{name}_narrow"


def widen(graph: onnx.GraphProto, name: str, steps: Steps) -> None:
    """Makes floats of bytes again, channels first, where `narrow_conv` left them."""
    inputs = [narrow_name(name), f"{name}_made_step", f"{name}_made_zero"]
    arrays: tuple[NDArray[Any], ...] = (steps.step.astype(np.float32), steps.zero.astype(np.uint8))
    graph.initializer.extend(map(numpy_helper.from_array, arrays, inputs[1:]))
    place = next(place for place, node in enumerate(graph.node) if inputs[0] in node.output)
    graph.node.insert(place + 1, helper.make_node("DequantizeLinear", inputs, [name], axis=1))


def _rounded(
    graph: onnx.GraphProto, name: str, narrow: str, steps: Steps, whole: list[str],
    put: Callable[[str, NDArray[Any]], str],
) -> list[onnx.NodeProto]:  # fmt: skip
    """Returns the nodes that make bytes of a value, channels first.

    With a step of one it is rounded channels last, where the kernels read it. Each row is rounded in two halves with a
    step of their own, which is one: with one step ONNX Runtime would round before it moves, and then move slowly.
    """
    if not steps.is_one:
        each = put("read_step", steps.step.astype(np.float32)), put("read_zeros", steps.zero.astype(np.uint8))
        return [helper.make_node("QuantizeLinear", [name, *each], [narrow], axis=1)]
    maker = next((node for node in graph.node if name in node.output), None)
    if maker is not None and maker.op_type == "Transpose" and list(maker.attribute[0].ints) == CHANNELS_FIRST:
        return [
            helper.make_node("QuantizeLinear", [maker.input[0], *whole], [f"{narrow}_last"]),
            helper.make_node("Transpose", [f"{narrow}_last"], [narrow], perm=CHANNELS_FIRST),
        ]
    if len(steps.step) % 2:
        return [helper.make_node("QuantizeLinear", [name, *whole], [narrow])]
    halves = put("read_ones", np.ones(2, np.float32)), put("read_zeros", np.full(2, steps.zero[0], np.uint8))
    split, joined = np.array([0, 0, 2, -1]), np.array([0, 0, -1, len(steps.step)])
    return [
        helper.make_node("Transpose", [name], [f"{narrow}_moved"], perm=CHANNELS_LAST),
        helper.make_node("Reshape", [f"{narrow}_moved", put("split", split)], [f"{narrow}_split"]),
        helper.make_node("QuantizeLinear", [f"{narrow}_split", *halves], [f"{narrow}_halves"], axis=2),
        helper.make_node("Reshape", [f"{narrow}_halves", put("joined", joined)], [f"{narrow}_last"]),
        helper.make_node("Transpose", [f"{narrow}_last"], [narrow], perm=CHANNELS_FIRST),
    ]
