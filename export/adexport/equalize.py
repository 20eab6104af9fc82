"""Steps of channels, put into the layer before: what is to be rounded then has a step of one in every channel.

A leaky ReLU of a scaled value is the scaled leaky ReLU, so what is divided behind it may be divided in the weights
before it. The graph stays the same in real arithmetic.
"""

import numpy as np
import onnx
from onnx import numpy_helper

from adexport.observe import Values

# Weights of a dense layer share their steps in eight bits, so one channel that hardly speaks would cost the others.
_LARGEST_RATIO = 1000.0
_BENT = ("LeakyRelu", "Relu")
CHANNELS_FIRST = [0, 3, 1, 2]


def equalize(graph: onnx.GraphProto, conv: onnx.NodeProto, step: Values) -> bool:
    """Divides what a convolution reads by the steps, and multiplies its weights; returns whether it could.

    Args:
        graph: changed in place, unless something else lies before the convolution than constants to add, leaky ReLU,
            and a layer with constant weights, or the steps are too different.
        conv: a convolution of the graph with constant weights.
        step: of each channel it reads, (channels,).
    """
    factors = _factors_before(graph, conv.input[0], 1 / step)
    if factors is None or step.max() > _LARGEST_RATIO * step.min():
        return False
    factors[conv.input[1]] = step.reshape(1, -1, 1, 1)
    for initializer in graph.initializer:
        if initializer.name in factors:
            scaled = numpy_helper.to_array(initializer) * factors[initializer.name]
            initializer.CopyFrom(numpy_helper.from_array(scaled.astype(np.float32), initializer.name))
    return True


def _factors_before(graph: onnx.GraphProto, name: str, channels: Values) -> dict[str, Values] | None:
    """Returns what each constant before a value is to be multiplied by, so that its channels are; None: cannot be."""
    makers = {output: node for node in graph.node for output in node.output}
    constants = {initializer.name: numpy_helper.to_array(initializer) for initializer in graph.initializer}
    read = [each for node in graph.node for each in node.input]
    factors: dict[str, Values] = {}
    by_channel: Values = channels.reshape(1, -1, 1, 1)
    while name in makers and read.count(name) == 1:
        node = makers[name]
        name, *others = node.input
        if any(constants.get(other) is None or read.count(other) > 1 for other in others):
            return None
        if node.op_type == "Transpose" and list(node.attribute[0].ints) == CHANNELS_FIRST:
            by_channel = by_channel.reshape(1, 1, 1, -1)
        elif node.op_type == "Reshape" and len(constants[others[0]]) == by_channel.ndim:
            sides = constants[others[0]][1:]
            by_channel = np.broadcast_to(by_channel, (1, *sides)).reshape(1, -1)
        elif node.op_type == "Add":
            factors[others[0]] = by_channel.reshape(by_channel.shape[-constants[others[0]].ndim :])
        elif node.op_type == "MatMul" and by_channel.ndim == constants[others[0]].ndim:
            return factors | {others[0]: by_channel}
        elif node.op_type == "Conv" and by_channel.shape[1] == len(channels):
            return factors | {others[0]: channels.reshape(-1, 1, 1, 1)} | dict.fromkeys(others[1:], channels)
        elif node.op_type not in _BENT:
            return None
    return None
