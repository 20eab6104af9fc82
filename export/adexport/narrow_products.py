"""The last layer in eight bits: products of bytes and int8 weights, whose sums are floats again, never rounded."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from adexport.observe import Values
from adexport.steps import Steps, narrow_weights, weight_steps


def products_of(graph: onnx.GraphProto, name: str) -> list[onnx.NodeProto]:
    """Returns the products that read this value, (n, height, width, channels), first itself and then bent by Relu.

    Empty where anything else reads it too. `adexport.rewrites.places` makes them.
    """
    users = [node for node in graph.node if name in node.input]
    if sorted(node.op_type for node in users) != ["MatMul", "Relu"]:
        return []
    straight, bent = sorted(users, key=lambda node: node.op_type)
    behind = [node for node in graph.node if bent.output[0] in node.input]
    return [straight, *behind] if [node.op_type for node in behind] == ["MatMul"] else []


def turn_round(
    graph: onnx.GraphProto, conv: onnx.NodeProto, products: list[onnx.NodeProto], lowest: Values, highest: Values
) -> tuple[Values, Values]:
    """Negates channels that reach further below zero than above, so that one zero suits them all; returns the ranges.

    The straight product's weights make good for it: with s and p for those of a channel, of itself and of its positive
    part, s x + p relu(x) = -(s + p) (-x) + p relu(-x).

    Args:
        graph: changed in place; the same in real arithmetic.
        conv: makes the channels, with constant weights.
        products: as `products_of` returns them.
        lowest: of each channel, (channels,).
        highest: likewise.
    """
    constants = {each.name: each for each in graph.initializer}
    turned = -lowest > highest
    sign = np.where(turned, -1, 1)

    def put(name: str, array: Values) -> None:
        constants[name].CopyFrom(numpy_helper.from_array(array.astype(np.float32), name))

    for name in conv.input[1:]:
        array = numpy_helper.to_array(constants[name])
        put(name, array * sign.reshape(-1, *[1] * (array.ndim - 1)))
    straight, positive = (numpy_helper.to_array(constants[node.input[1]]) for node in products)
    put(products[0].input[1], np.where(turned[:, np.newaxis], -straight - positive, straight))
    return np.where(turned, -highest, lowest), np.where(turned, -lowest, highest)


def influence_of(graph: onnx.GraphProto, products: list[onnx.NodeProto]) -> Values:
    """Returns the sum of the squared weights that each channel is multiplied by where it is positive."""
    constants = {each.name: numpy_helper.to_array(each).astype(np.float64) for each in graph.initializer}
    straight, positive = (constants[node.input[1]] for node in products)
    return np.asarray(np.square(straight + positive).sum(axis=1))


def narrow_products(graph: onnx.GraphProto, products: list[onnx.NodeProto], narrow: str, steps: Steps) -> None:
    """Lets the products read bytes.

    Args:
        graph: changed in place.
        products: as `products_of` returns them; what they read needs no maker any more.
        narrow: the same in bytes.
        steps: of the bytes, which share their zero.
    """
    constants = {each.name: numpy_helper.to_array(each).astype(np.float64) for each in graph.initializer}
    one, zero = f"{narrow}_one", f"{narrow}_zero"
    graph.initializer.append(numpy_helper.from_array(np.array(1, np.float32), one))
    graph.initializer.append(numpy_helper.from_array(np.array(steps.zero[0], np.uint8), zero))
    bent = f"{narrow}_bent"
    replacements: dict[str, list[onnx.NodeProto]] = {
        # What lies below zero becomes zero.
        products[1].input[0]: [helper.make_node("Clip", [narrow, zero], [bent])]
    }
    error: Values = np.zeros(1)
    for source, node in zip((narrow, bent), products, strict=True):
        # Positive values are multiplied by both weights: the second make good for the rounding of the first.
        weights = constants[node.input[1]] * steps.step[:, np.newaxis] + error
        scale = weight_steps(weights.T)
        parts = [f"{node.output[0]}_{role}" for role in ("weights", "weight_scale", "weight_zero")]
        rounded = narrow_weights(weights.T, scale).T
        error = weights - rounded * scale
        arrays: tuple[NDArray[Any], ...] = rounded, scale.astype(np.float32), np.zeros(len(scale), np.int8)
        graph.initializer.extend(map(numpy_helper.from_array, arrays, parts))
        wide, wide_weights = f"{node.output[0]}_read", f"{node.output[0]}_wide_weights"
        replacements[node.output[0]] = [
            helper.make_node("DequantizeLinear", [source, one, zero], [wide]),
            helper.make_node("DequantizeLinear", parts, [wide_weights], axis=1),
            helper.make_node("MatMul", [wide, wide_weights], list(node.output)),
        ]
    nodes = [each for node in graph.node for each in replacements.get(node.output[0], [node])]
    del graph.node[:]
    graph.node.extend(nodes)
