"""The graph in int8: the large convolutions in eight bits, and the large weights; what judges stays in float.

Static quantization: ranges come from held-out images, a range for each channel. The first layer stays in float: with
one to three input channels it is cheap, and int8 would be slower. So do the error and the score, and so does the last
layer, unless `adexport.rewrites.places` made products of it, whose sums are floats. Dense layers store their weights in
eight bits and compute in float: they are cheap, and a latent vector in eight bits is too coarse. Their weights are
widened by Cast and Mul, which ONNX Runtime does once, when the file is opened; with DequantizeLinear it would do so at
every run, or put a product in their place that narrows activations too. Weights that bytes are multiplied by are so
small that two products fit in 16 bits (`adexport.steps`): a processor without VNNI scores as others do. In the end what
rounding shifts on average is taken off again, wherever the graph adds a constant in float.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from adexport.equalize import equalize
from adexport.graph import tidied
from adexport.narrow_conv import narrow_conv, narrow_name, widen
from adexport.narrow_products import influence_of, narrow_products, products_of, turn_round
from adexport.observe import Values, means, ranges, spread
from adexport.rewrites.phases import MOVES
from adexport.steps import LARGEST_WEIGHT, Steps, own_zeros, shared_zero
from adscore.images import Pixels

# Convolutions from pixels, of one or three channels, stay in float.
_FEW_CHANNELS = 4
# Constants of fewer elements are not worth narrowing.
_FEW_ELEMENTS = 256


def quantized(model: onnx.ModelProto, images: Pixels) -> onnx.ModelProto:
    """Returns the graph with its large layers in int8.

    Args:
        model: a graph by `adexport.rewrites.optimized` for int8.
        images: held-out images, uint8 (n, height, width, channels); at most 512 are used, spread evenly, and fewer
            large ones.
    """
    batches = spread(images)
    large = _large_layers(model.graph)
    even, read = _with_even_steps(model, [conv for conv, _ in large], batches)
    # Products take channels last, and ranges channels first.
    made = [conv.output[0] if products_of(even.graph, last) else last for conv, last in large]
    found = ranges(even, made, batches)
    result = _copied(even)
    for (conv, last), name, steps in zip(large, made, read, strict=True):
        _narrow_layer(result.graph, conv, last, steps, found[name])
    _drop_unused(result.graph)
    _shrink_dense(result.graph)
    _shrink_offsets(result.graph)
    _take_off_shifts(result, even, batches)
    return tidied(result)


def _narrow_layer(
    graph: onnx.GraphProto, conv: onnx.NodeProto, last: str, read: Steps, made: tuple[Values, Values]
) -> None:
    """Narrows a convolution and the products behind it, or widens what it makes."""
    products = products_of(graph, last)
    if products:
        made = turn_round(graph, conv, products, *made)
        steps = shared_zero(*made, influence_of(graph, products))
        narrow_conv(graph, conv, last, read, steps)
        narrow_products(graph, products, narrow_name(last), steps)
    else:
        steps = own_zeros(*made)
        narrow_conv(graph, conv, last, read, steps)
        widen(graph, last, steps)


def _with_even_steps(
    model: onnx.ModelProto, large: Sequence[onnx.NodeProto], batches: Sequence[Pixels]
) -> tuple[onnx.ModelProto, list[Steps]]:
    """Returns the graph with the steps of what convolutions read in the layers before, where it could; and the steps.

    The kernels that round to one step for all channels are the fast ones.
    """
    result = _copied(model)
    found = ranges(model, [conv.input[0] for conv in large], batches)
    weights = {each.name: numpy_helper.to_array(each).astype(np.float64) for each in model.graph.initializer}
    read = []
    for conv in large:
        influence = np.square(weights[conv.input[1]]).sum(axis=(0, 2, 3))
        steps = shared_zero(*found[conv.input[0]], influence)
        could = equalize(result.graph, conv, steps.step)
        read.append(Steps(np.ones_like(steps.step), steps.zero) if could else steps)
    return result, read


def _copied(model: onnx.ModelProto) -> onnx.ModelProto:
    result = onnx.ModelProto()
    result.CopyFrom(model)
    return result


def _large_layers(graph: onnx.GraphProto) -> list[tuple[onnx.NodeProto, str]]:
    """Returns the large convolutions, each with the value where what it makes is in its place."""
    shapes = {initializer.name: initializer.dims for initializer in graph.initializer}
    return [
        (node, _moved(graph, node.output[0]))
        for node in _before_sigmoid(graph)
        if node.op_type == "Conv" and shapes.get(node.input[1], (0, 0))[1] >= _FEW_CHANNELS
    ]


def _moved(graph: onnx.GraphProto, name: str) -> str:
    """Returns the value that the nodes behind make of this one, if they only move its phases, or its own name.

    Where products read it on the way, it is in its place already.
    """
    last = name
    for op_type in MOVES:
        users = [node for node in graph.node if last in node.input]
        if len(users) != 1 or users[0].op_type != op_type:
            return name
        last = users[0].output[0]
        if products_of(graph, last):
            break
    return last


def _before_sigmoid(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Returns the nodes that the reconstruction is made by, from the image to its sigmoid."""
    makers = {output: node for node in graph.node for output in node.output}
    found: set[str] = set()
    waiting = [name for node in graph.node if node.op_type == "Sigmoid" for name in node.input]
    while waiting:
        node = makers.get(waiting.pop())
        if node is not None and node.output[0] not in found:
            found.add(node.output[0])
            waiting.extend(node.input)
    return [node for node in graph.node if node.output[0] in found]


def _shrink_dense(graph: onnx.GraphProto) -> None:
    """Stores the dense layers' weights in eight bits, with a scale for each element of the latent vector."""
    weights = {node.input[1] for node in _before_sigmoid(graph) if node.op_type == "MatMul"}
    # The products that find the light are in float64, and exact for a reason.
    floats = [each for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT]
    for initializer in [each for each in floats if each.name in weights]:
        _narrow(graph, initializer, axis=int(np.argmin(initializer.dims)))


def _shrink_offsets(graph: onnx.GraphProto) -> None:
    """Stores what is added to whole pictures or vectors in eight bits, but for what the sigmoid is taken of."""
    behind = {name for node in graph.node if node.op_type == "Sigmoid" for name in node.input}
    added = {
        name
        for node in _before_sigmoid(graph)
        if node.op_type == "Add" and not behind & set(node.output)
        for name in node.input
    }
    for initializer in [each for each in graph.initializer if each.name in added]:
        if np.prod(initializer.dims) >= _FEW_ELEMENTS:
            _narrow(graph, initializer, axis=1 if len(initializer.dims) == 4 else None)


def _take_off_shifts(narrow: onnx.ModelProto, model: onnx.ModelProto, batches: Sequence[Pixels]) -> None:
    """Corrects what is added in float by the mean that rounding shifts the sum by, from the image to the sigmoid.

    The bias correction of Nagel et al. 2019 (arXiv 1906.04721, section 4.2), by images; where the constant is a map,
    place by place.
    """
    constants = {initializer.name: initializer for initializer in narrow.graph.initializer}
    sums = [
        (node.output[0], constants[node.input[1]])
        for node in _before_sigmoid(narrow.graph)
        if node.op_type == "Add" and node.input[1] in constants
    ]
    expected = means(model, [name for name, _ in sums], batches)
    for name, constant in sums:
        added = numpy_helper.to_array(constant)
        shift = means(narrow, [name], batches)[name] - expected[name]
        while shift.ndim > added.ndim:
            shift = shift[0]
        alike = tuple(axis for axis, side in enumerate(added.shape) if side == 1)
        corrected = (added - shift.mean(axis=alike, keepdims=True)).astype(np.float32)
        constant.CopyFrom(numpy_helper.from_array(corrected, constant.name))


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Removes nodes and constants that nothing reads any more."""
    read = {output.name for output in graph.output}
    for node in reversed(graph.node):
        if read & set(node.output):
            read.update(node.input)
    nodes = [node for node in graph.node if read & set(node.output)]
    del graph.node[:]
    graph.node.extend(nodes)
    used = [initializer for initializer in graph.initializer if initializer.name in read]
    del graph.initializer[:]
    graph.initializer.extend(used)


def _narrow(graph: onnx.GraphProto, initializer: onnx.TensorProto, axis: int | None) -> None:
    """Puts int8 values and a scale, one along each place of the axis, in the place of a float initializer."""
    name, values = initializer.name, numpy_helper.to_array(initializer)
    others = tuple(other for other in range(values.ndim) if other != axis)
    largest = np.abs(values).max(axis=others, keepdims=True)
    scale = np.maximum(largest, np.finfo(np.float32).tiny).astype(np.float32) / np.float32(LARGEST_WEIGHT)
    parts = [f"{name}_int8", f"{name}_scale"]
    graph.initializer.remove(initializer)
    arrays: tuple[NDArray[Any], ...] = (np.round(values / scale).astype(np.int8), scale)
    graph.initializer.extend(map(numpy_helper.from_array, arrays, parts))
    graph.node.insert(0, onnx.helper.make_node("Mul", [f"{name}_wide", parts[1]], [name]))
    graph.node.insert(0, onnx.helper.make_node("Cast", parts[:1], [f"{name}_wide"], to=onnx.TensorProto.FLOAT))
