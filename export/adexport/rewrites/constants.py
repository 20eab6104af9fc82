"""Numbers in a graph: reading them, putting new ones in, and computing a node on numbers alone."""

from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
from numpy.typing import NDArray
from onnx import helper

Array = NDArray[Any]


def numbers(value: ir.Value | None) -> Array:
    """Returns the numbers behind a value that `is_constant`."""
    if value is None or value.const_value is None:
        raise ValueError(f"{value} is no constant")
    return value.const_value.numpy()


def is_constant(*values: ir.Value | None) -> bool:
    """Returns whether all of these are numbers that stand in the graph."""
    return all(value is not None and value.const_value is not None for value in values)


def constant(op: Any, array: Array, like: ir.Value, role: str) -> ir.Value:
    """Returns a new constant of the graph, named after the value it belongs to, which must not be shared."""
    value: ir.Value = op.initializer(ir.tensor(np.asarray(array, order="C")), name=f"{like.name}_{role}")
    return value


def shape_of(value: ir.Value) -> tuple[int, ...] | None:
    """Returns the static shape behind the batch, or None where it is not known."""
    if value.shape is None or len(value.shape) < 2:
        return None
    behind = [side for side in value.shape[1:] if isinstance(side, int)]
    return tuple(behind) if len(behind) == len(value.shape) - 1 else None


def attributes_of(value: ir.Value) -> dict[str, Any]:
    """Returns the attributes of the node that makes this value, as plain Python values."""
    node = value.producer()
    return {} if node is None else {name: attribute.value for name, attribute in node.attributes.items()}


def others_of(value: ir.Value, first: int) -> list[ir.Value]:
    """Returns the inputs from place `first` on of the node that makes this value."""
    node = value.producer()
    return [] if node is None else [other for other in node.inputs[first:] if other is not None]


def is_plain(attributes: dict[str, Any], **expected: list[int]) -> bool:
    """Returns whether a convolution is an ordinary one: no groups, dilation or odd output, and as expected besides."""
    ordinary = (
        attributes.get("group", 1) == 1
        and set(attributes.get("dilations", [1])) == {1}
        and attributes.get("auto_pad", "NOTSET") == "NOTSET"
        and not any(attributes.get("output_padding", []))
        and "output_shape" not in attributes
    )
    return ordinary and all(list(attributes.get(name, [])) == value for name, value in expected.items())


def computed(op_type: str, *inputs: Array, **attributes: Any) -> Array:
    """Returns the output of one node on these numbers, by ONNX Runtime, so that no operator is written twice."""
    names = [f"input_{place}" for place in range(len(inputs))]
    node = helper.make_node(op_type, names, ["output"], **attributes)
    infos = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in zip(names, inputs, strict=True)
    ]
    kind = helper.np_dtype_to_tensor_dtype(inputs[0].dtype)
    graph = helper.make_graph([node], op_type, infos, [helper.make_tensor_value_info("output", kind, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    output: Array = session.run(None, dict(zip(names, inputs, strict=True)))[0]
    return output
