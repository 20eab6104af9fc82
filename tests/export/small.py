"""Graphs small enough to reckon with, what ONNX Runtime makes of them, and the integer products in that."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

# Where the weights of an operator on bytes have their outputs.
_OUTPUTS = {"QLinearConv": 0, "MatMulIntegerToFloat": 1, "MatMulInteger": 1}


def graph_of(nodes: list[onnx.NodeProto], shown: tuple[str, ...], **constants: NDArray[Any]) -> onnx.ModelProto:
    """Returns a graph from `image`, uint8 (n, 6, 6, 4), by way of `wide`, float32 (n, 4, 6, 6), to the values shown."""
    first = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["wide"], perm=[0, 3, 1, 2]),
    ]
    graph = helper.make_graph(
        [*first, *nodes],
        "small",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 6, 6, 4])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in shown],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def outputs_of(model: onnx.ModelProto, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"image": images}), strict=True))


def integer_products(content: bytes, folder: Path) -> list[NDArray[np.int8]]:
    """Returns the weights of each product of bytes that ONNX Runtime makes of a model, int8 (outputs, inputs).

    Raises:
        KeyError: an operator has weights in eight bits that this does not know.
    """
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    graph = onnx.load(folder / "optimized.onnx").graph
    narrow = {
        each.name: numpy_helper.to_array(each)
        for each in graph.initializer
        if each.data_type in (TensorProto.INT8, TensorProto.UINT8) and len(each.dims) > 1
    }
    products = []
    for node in graph.node:
        for weights in [narrow[name] for name in node.input if name in narrow]:
            assert weights.dtype == np.int8
            outputs = np.moveaxis(weights, _OUTPUTS[node.op_type], 0)
            products.append(outputs.reshape(len(outputs), -1))
    return products


def largest_sum_of_two(weights: NDArray[np.int8]) -> int:
    """Returns what two products may come to at most, either way, where one output's bytes are 255."""
    ordered = np.sort(weights.astype(int), axis=1)
    return 255 * max(
        int(ordered[:, -2:].clip(min=0).sum(axis=1).max()), int(-ordered[:, :2].clip(max=0).sum(axis=1).min())
    )
