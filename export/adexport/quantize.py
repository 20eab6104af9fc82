"""The graph in int8: weights and activations of the large layers in eight bits, everything that judges in float.

Static quantization by ONNX Runtime's own tools, in the QDQ form that every provider reads. The ranges of activations
come from held-out images, weights are scaled channel by channel. The first layer stays in float: with one to three
input channels it is cheap, and int8 would be slower. So do the last layer, the error and the score.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from adscore.images import Pixels
from adscore.model_file import INPUT

# Ranges settle with a few hundred images.
IMAGES = 512
_BATCH = 16
# Convolutions from pixels, of one or three channels, stay in float.
_FEW_CHANNELS = 4
_MOVES = ("Reshape", "Transpose")


def quantized(model: onnx.ModelProto, images: Pixels) -> onnx.ModelProto:
    """Returns the graph with its large layers in int8.

    Args:
        model: a graph by `adexport.rewrites.optimized` for int8.
        images: held-out images, uint8 (n, height, width, channels); at most 512 are used, spread evenly.
    """
    named = onnx.ModelProto()
    named.CopyFrom(model)
    for place, node in enumerate(named.graph.node):
        node.name = f"{node.op_type}_{place}"
    chosen = _large_layers(named.graph)
    # Dense layers have one scale in all: a scale for each of thousands of outputs would outweigh what is saved.
    dense = {name: [{"quant_type": QuantType.QInt8}] for name in _weights(named.graph, chosen, "MatMul")}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "int8.onnx"
        quantize_static(
            named, path, _Spread(images), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, nodes_to_quantize=chosen,
            op_types_to_quantize=["Conv", "MatMul", *_MOVES], extra_options={"TensorQuantOverrides": dense},
        )  # fmt: skip
        result = onnx.load(path)
    _shrink_offsets(result.graph)
    return result


class _Spread(CalibrationDataReader):
    """Batches of at most IMAGES of the images, spread evenly over them."""

    def __init__(self, images: Pixels) -> None:
        chosen = images[:: max(1, -(-len(images) // IMAGES))]
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
        if node.op_type in ("MatMul", *_MOVES)
        or (node.op_type == "Conv" and shapes.get(node.input[1], (0, 0))[1] >= _FEW_CHANNELS)
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


def _weights(graph: onnx.GraphProto, chosen: list[str], op_type: str) -> list[str]:
    return [node.input[1] for node in graph.node if node.op_type == op_type and node.name in chosen]


def _shrink_offsets(graph: onnx.GraphProto) -> None:
    """Stores what is added to whole pictures or vectors in eight bits; it is widened when the file is opened."""
    added = {name for node in graph.node if node.op_type == "Add" for name in node.input}
    for initializer in list(graph.initializer):
        if initializer.name not in added or initializer.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(initializer)
        if values.size < _BATCH**2:
            continue
        narrow, scale, zero = _eight_bits(values)
        name = initializer.name
        graph.initializer.remove(initializer)
        parts = {f"{name}_uint8": narrow, f"{name}_scale": scale, f"{name}_zero": zero}
        graph.initializer.extend(numpy_helper.from_array(value, part) for part, value in parts.items())
        graph.node.insert(0, onnx.helper.make_node("DequantizeLinear", list(parts), [name]))


def _eight_bits(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
    """Returns (uint8 values, scale, zero point) for values that lie about zero or not."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    scale = np.float32(max(high - low, float(np.finfo(np.float32).tiny)) / 255)
    zero = np.uint8(round(-low / float(scale)))
    narrow = np.clip(np.round(values / scale) + zero, 0, 255).astype(np.uint8)
    return narrow, np.asarray(scale), np.asarray(zero)
