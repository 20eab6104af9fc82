"""The graph in int8: the large convolutions in eight bits, and all large weights; what judges stays in float.

Static quantization by ONNX Runtime's own tools, in the QDQ form that every provider reads. The ranges of activations
come from held-out images, weights are scaled channel by channel. The first layer stays in float: with one to three
input channels it is cheap, and int8 would be slower. So do the last layer, the error and the score. Dense layers store
their weights in eight bits and compute in float: they are cheap, and a latent vector in eight bits is too coarse.
"""

import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from adexport.graph import tidied
from adscore.images import Pixels
from adscore.model_file import INPUT

# Ranges settle with a few hundred images.
IMAGES = 512
_BATCH = 16
# One value in 100,000 may lie outside a range: it costs less than steps that are wider for all others.
_PERCENTILE = 99.999
# Convolutions from pixels, of one or three channels, stay in float.
_FEW_CHANNELS = 4
_MOVES = ("Reshape", "Transpose")


def quantized(model: onnx.ModelProto, images: Pixels) -> onnx.ModelProto:
    """Returns the graph with its large layers in int8.

    Args:
        model: a graph by `adexport.rewrites.optimized` for int8.
        images: held-out images, uint8 (n, height, width, channels); at most 512 are used, spread evenly.
    """
    named = onnx.shape_inference.infer_shapes(model)
    for place, node in enumerate(named.graph.node):
        node.name = f"{node.op_type}_{place}"
    chosen = _large_layers(named.graph)
    # The tools warn of a model that they did not prepare; what they would prepare are shapes, and those are known.
    named.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    with tempfile.TemporaryDirectory() as scratch, redirect_stdout(StringIO()):
        path = Path(scratch) / "int8.onnx"
        quantize_static(
            named, path, _Spread(images), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, nodes_to_quantize=chosen,
            op_types_to_quantize=["Conv", *_MOVES],
            calibrate_method=CalibrationMethod.Percentile, extra_options={"CalibPercentile": _PERCENTILE},
        )  # fmt: skip
        result = onnx.load(path)
    _shrink_dense(result.graph)
    _shrink_offsets(result.graph)
    return tidied(result)


class _Spread(CalibrationDataReader):  # type: ignore[misc]
    """Batches of at most IMAGES of the images, spread evenly over them."""

    def __init__(self, images: Pixels) -> None:
        chosen = images[:: max(1, -(-len(images) // IMAGES))]
        if len(chosen) > _BATCH:  # histograms of ranges take batches of one size
            chosen = chosen[: len(chosen) // _BATCH * _BATCH]
        self._batches: Iterator[Pixels] = (chosen[start : start + _BATCH] for start in range(0, len(chosen), _BATCH))

    def get_next(self) -> dict[str, Pixels] | None:
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: np.asarray(batch)}


def _large_layers(graph: onnx.GraphProto) -> list[str]:
    """Returns the names of the autoencoder's nodes that are worth int8, and of those that move pixels between them."""
    shapes = {initializer.name: initializer.dims for initializer in graph.initializer}
    return [
        node.name
        for node in _before_sigmoid(graph)
        if node.op_type in _MOVES or (node.op_type == "Conv" and shapes.get(node.input[1], (0, 0))[1] >= _FEW_CHANNELS)
    ]


def _before_sigmoid(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Returns the nodes that the reconstruction is made by, from its sigmoid back to the image."""
    makers = {output: node for node in graph.node for output in node.output}
    found: dict[str, onnx.NodeProto] = {}
    waiting = [name for node in graph.node if node.op_type == "Sigmoid" for name in node.input]
    while waiting:
        node = makers.get(waiting.pop())
        if node is not None and node.name not in found:
            found[node.name] = node
            waiting.extend(node.input)
    return list(found.values())


def _shrink_dense(graph: onnx.GraphProto) -> None:
    """Stores the dense layers' weights in eight bits, with a scale for each element of the latent vector."""
    weights = {node.input[1] for node in _before_sigmoid(graph) if node.op_type == "MatMul"}
    for initializer in [each for each in graph.initializer if each.name in weights]:
        values = numpy_helper.to_array(initializer)
        axis = int(np.argmin(values.shape))
        largest = np.abs(values).max(axis=1 - axis, keepdims=True)
        scale = np.maximum(largest, np.finfo(np.float32).tiny).astype(np.float32) / np.float32(127)
        narrow = np.round(values / scale).astype(np.int8)
        _widened(graph, initializer, narrow, scale.ravel(), np.zeros(scale.size, np.int8), axis)


def _shrink_offsets(graph: onnx.GraphProto) -> None:
    """Stores what is added to whole pictures or vectors in eight bits; it is widened when the file is opened."""
    added = {name for node in graph.node if node.op_type == "Add" for name in node.input}
    for initializer in list(graph.initializer):
        if initializer.name not in added or initializer.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(initializer)
        if values.size < _BATCH**2:
            continue
        _widened(graph, initializer, *_eight_bits(values), axis=1)


def _widened(
    graph: onnx.GraphProto,
    initializer: onnx.TensorProto,
    narrow: NDArray[Any],
    scale: NDArray[np.float32],
    zero: NDArray[Any],
    axis: int,
) -> None:
    """Puts the narrow values in the place of an initializer, and a node that makes float32 of them."""
    name = initializer.name
    graph.initializer.remove(initializer)
    parts = [f"{name}_{part}" for part in ("narrow", "scale", "zero")]
    graph.initializer.extend(map(numpy_helper.from_array, (narrow, scale, zero), parts))
    graph.node.insert(0, onnx.helper.make_node("DequantizeLinear", parts, [name], axis=axis))


def _eight_bits(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
    """Returns (uint8 values, scale, zero point) for values that lie about zero or not."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    scale = np.float32(max(high - low, float(np.finfo(np.float32).tiny)) / 255)
    zero = np.uint8(round(-low / float(scale)))
    narrow = np.clip(np.round(values / scale) + zero, 0, 255).astype(np.uint8)
    return narrow, np.asarray(scale), np.asarray(zero)
