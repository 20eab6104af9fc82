"""One convolution in eight bits, in the QDQ form that every provider reads; each channel has a range of its own.

Integer kernels take one scale for all channels of a picture. So the scales of the input's channels are put into the
weights, which are scaled output by output anyway, and those of the output's channels are too: the convolution makes
whole steps of its output, which are widened channel by channel. It costs nothing at run time.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from adexport.observe import Values

_STEPS = 255
_LARGEST_WEIGHT = 127
# A channel is not scaled up further than this: one that never spoke would be scaled without bound.
_SMALLEST_SHARE = 1e-6
# Biases, as multiples of the weights' steps, stay this far within 32 bits.
_LARGEST_BIAS = 2.0**30


def narrow_conv(
    graph: onnx.GraphProto, conv: onnx.NodeProto, last: str, read: tuple[Values, Values], made: tuple[Values, Values]
) -> None:
    """Puts a convolution in eight bits in the place of a float one.

    Args:
        graph: where it stands; changed in place.
        conv: the convolution, with constant weights.
        last: the value where what it makes is widened: its output, or behind nodes that only move pixels, which then
            move bytes. Channel c there holds the convolution's channels c, c + channels, and so on.
        read: lowest and highest value of each channel of its input, zero included.
        made: the same of `last`.
    """
    constants = {each.name: numpy_helper.to_array(each).astype(np.float64) for each in graph.initializer}
    weights = constants[conv.input[1]]
    bias = constants[conv.input[2]] if len(conv.input) > 2 else np.zeros(len(weights))
    step_read, zero_read = _shared_zero(*read, np.square(weights).sum(axis=(0, 2, 3)))
    step_made, zero_made = _steps(*made)
    weights = weights * step_read[:, np.newaxis, np.newaxis]
    repeats = len(weights) // len(step_made)
    step, zero = np.tile(step_made, repeats), np.tile(zero_made, repeats)
    scale = np.abs(weights).max(axis=(1, 2, 3)) / _LARGEST_WEIGHT
    scale = np.maximum(scale, (np.abs(bias) + _STEPS * step) / _LARGEST_BIAS)
    prefix = conv.output[0]

    def put(role: str, array: NDArray[Any]) -> str:
        graph.initializer.append(numpy_helper.from_array(array, f"{prefix}_{role}"))
        return f"{prefix}_{role}"

    one = put("one", np.array(1, np.float32))
    weight_scale = put("weight_scale", (scale / step).astype(np.float32))
    narrow_input = [
        conv.input[0], put("read_step", step_read.astype(np.float32)),
        put("read_zeros", np.full(len(step_read), zero_read, np.uint8)),
    ]  # fmt: skip
    wide_input = [f"{prefix}_read", one, put("read_zero", np.array(zero_read, np.uint8))]
    wide_weights = [
        put("weights", np.round(weights / scale[:, np.newaxis, np.newaxis, np.newaxis]).astype(np.int8)),
        weight_scale, put("weight_zero", np.zeros(len(scale), np.int8)),
    ]  # fmt: skip
    # The output's zero points are part of the bias.
    wide_bias = [
        put("bias", np.round((bias + step * zero) / scale).astype(np.int32)),
        weight_scale, put("bias_zero", np.zeros(len(scale), np.int32)),
    ]  # fmt: skip
    narrow_output = [f"{prefix}_whole", one, put("zero", np.array(0, np.uint8))]
    wide_output = [
        f"{last}_narrow", put("made_step", step_made.astype(np.float32)), put("made_zero", zero_made.astype(np.uint8)),
    ]  # fmt: skip

    convolution = onnx.NodeProto()
    convolution.CopyFrom(conv)
    convolution.input[:] = [f"{prefix}_wide_{role}" for role in ("read", "weights", "bias")]
    convolution.output[:] = narrow_output[:1]
    before = [
        helper.make_node("QuantizeLinear", narrow_input, wide_input[:1], axis=1),
        helper.make_node("DequantizeLinear", wide_input, convolution.input[:1]),
        helper.make_node("DequantizeLinear", wide_weights, convolution.input[1:2], axis=0),
        helper.make_node("DequantizeLinear", wide_bias, convolution.input[2:], axis=0),
        convolution,
        # What moves bytes reads them under the old name.
        helper.make_node("QuantizeLinear", narrow_output, [f"{last}_narrow" if last == prefix else prefix]),
    ]
    after = helper.make_node("DequantizeLinear", wide_output, [last], axis=1)
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        nodes += before if node == conv else [node]
        if last in node.output:
            if last != prefix:
                node.output[:] = wide_output[:1]
            nodes.append(after)
    del graph.node[:]
    graph.node.extend(nodes)


def _steps(lowest: Values, highest: Values) -> tuple[Values, Values]:
    """Returns the step of each channel and its zero point, in 0..255."""
    step = _bounded((highest - lowest) / _STEPS)
    return step, np.round(-lowest / step)


def _shared_zero(lowest: Values, highest: Values, influence: Values) -> tuple[Values, int]:
    """Returns the step of each channel, and the zero point that they share, since what pads has no channel.

    Of all zero points it is the one that rounding disturbs the output least by: the sum of squared steps, each times
    the channel's influence, the sum of its squared weights.
    """

    def steps(zero: int) -> Values:
        return _bounded(np.maximum(highest / (_STEPS - zero or np.inf), -lowest / (zero or np.inf)))

    lower, upper = (lowest < 0).any(), (highest > 0).any()
    zeros = range(int(lower), _STEPS + 1 - int(upper))
    zero = min(zeros, key=lambda zero: float(np.sum(np.square(steps(zero)) * influence)))
    return steps(zero), zero


def _bounded(steps: Values) -> Values:
    return np.asarray(np.maximum(steps, _SMALLEST_SHARE * (steps.max() or 1.0)))
