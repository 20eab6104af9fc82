"""The graph in int8: the large convolutions in eight bits, and the large weights; what judges stays in float.

Static quantization by ONNX Runtime's own tools, in the QDQ form that every provider reads. The ranges of activations
come from held-out images, weights are scaled channel by channel. The first layer stays in float: with one to three
input channels it is cheap, and int8 would be slower. So do the last layer, the error and the score. Dense layers store
their weights in eight bits and compute in float: they are cheap, and a latent vector in eight bits is too coarse. Their
weights are widened by Cast and Mul, which ONNX Runtime does once, when the file is opened; with DequantizeLinear it
would do so at every run, or put a product in their place that narrows activations too.
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

# Ranges settle with a few hundred images, or with some million pixels.
IMAGES = 512
_PIXELS = 4_000_000
# The tools hold every activation of a batch.
_BATCH = 16
_BATCH_PIXELS = 65_536
# One value in 10,000 may lie outside a range: it costs less than steps that are wider for all others.
_PERCENTILE = 99.99
# Convolutions from pixels, of one or three channels, stay in float.
_FEW_CHANNELS = 4
_MOVES = ("Reshape", "Transpose")
# Constants of fewer elements are not worth narrowing.
_FEW_ELEMENTS = 256


def quantized(model: onnx.ModelProto, images: Pixels) -> onnx.ModelProto:
    """Returns the graph with its large layers in int8.

    Args:
        model: a graph by `adexport.rewrites.optimized` for int8.
        images: held-out images, uint8 (n, height, width, channels); at most 512 are used, spread evenly, and fewer
            large ones.
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
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": _PERCENTILE, "CalibStridedMinMax": 1},
        )  # fmt: skip
        result = onnx.load(path)
    _shrink_dense(result.graph)
    _shrink_offsets(result.graph)
    return tidied(result)


class _Spread(CalibrationDataReader):  # type: ignore[misc]
    """Batches of some of the images, spread evenly over them; the tools take them one at a time."""

    def __init__(self, images: Pixels) -> None:
        pixels = images.shape[1] * images.shape[2]
        wanted = max(1, min(IMAGES, _PIXELS // pixels))
        chosen = images[:: max(1, -(-len(images) // wanted))]
        size = max(1, min(_BATCH, _BATCH_PIXELS // pixels, len(chosen)))
        # Histograms of ranges take batches of one size.
        self._batches = [chosen[start : start + size] for start in range(0, len(chosen) - size + 1, size)]
        self._left: Iterator[Pixels] = iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._left = iter(self._batches[start_index:end_index])

    def get_next(self) -> dict[str, Pixels] | None:
        batch = next(self._left, None)
        return None if batch is None else {INPUT: np.asarray(batch)}


def _large_layers(graph: onnx.GraphProto) -> list[str]:
    """Returns the names of the large convolutions, and of the nodes behind them that move pixels."""
    shapes = {initializer.name: initializer.dims for initializer in graph.initializer}
    wanted = {node.name for node in _before_sigmoid(graph)}
    narrow: set[str] = set()  # values in eight bits
    chosen = []
    for node in graph.node:
        is_large = node.op_type == "Conv" and shapes.get(node.input[1], (0, 0))[1] >= _FEW_CHANNELS
        if node.name in wanted and (is_large or (node.op_type in _MOVES and node.input[0] in narrow)):
            chosen.append(node.name)
            narrow.update(node.output)
    return chosen


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


def _narrow(graph: onnx.GraphProto, initializer: onnx.TensorProto, axis: int | None) -> None:
    """Puts int8 values and a scale, one along each place of the axis, in the place of a float initializer."""
    name, values = initializer.name, numpy_helper.to_array(initializer)
    others = tuple(other for other in range(values.ndim) if other != axis)
    largest = np.abs(values).max(axis=others, keepdims=True)
    scale = np.maximum(largest, np.finfo(np.float32).tiny).astype(np.float32) / np.float32(127)
    parts = [f"{name}_int8", f"{name}_scale"]
    graph.initializer.remove(initializer)
    arrays: tuple[NDArray[Any], ...] = (np.round(values / scale).astype(np.int8), scale)
    graph.initializer.extend(map(numpy_helper.from_array, arrays, parts))
    graph.node.insert(0, onnx.helper.make_node("Mul", [f"{name}_wide", parts[1]], [name]))
    graph.node.insert(0, onnx.helper.make_node("Cast", parts[:1], [f"{name}_wide"], to=onnx.TensorProto.FLOAT))
