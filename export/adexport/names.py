"""Names that depend on the graph alone, so that the same weights give the same file, byte for byte."""

from collections import Counter

import onnx


def rename(graph: onnx.GraphProto) -> None:
    """Names every node, value and constant by its operator and place, in place; inputs and outputs keep their names.

    The converter's own names count up within a process, and where it merges equal constants, chance decides which name
    stays.
    """
    kept = {value.name for value in [*graph.input, *graph.output]}
    names: dict[str, str] = {name: name for name in kept}
    constants = {constant.name: constant for constant in graph.initializer}
    in_order_of_use: list[onnx.TensorProto] = []
    seen: Counter[str] = Counter()
    for node in graph.node:
        for name in node.input:
            if name in constants and name not in names:
                names[name] = f"constant_{len(in_order_of_use)}"
                in_order_of_use.append(constants[name])
        node.name = f"{node.op_type}_{seen[node.op_type]}"
        seen[node.op_type] += 1
        for place, name in enumerate(node.output):
            names.setdefault(name, f"{node.name}_{place}" if place else node.name)
        node.input[:] = [names[name] if name else "" for name in node.input]
        node.output[:] = [names[name] if name else "" for name in node.output]
    for constant in in_order_of_use:
        constant.name = names[constant.name]
    ordered = [onnx.TensorProto.FromString(constant.SerializeToString()) for constant in in_order_of_use]
    del graph.initializer[:]
    graph.initializer.extend(ordered)
    del graph.value_info[:]  # shapes under the old names; shape inference finds them again
