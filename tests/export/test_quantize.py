"""The graph in int8, on graphs small enough to reckon with."""

from collections import Counter
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from adexport.observe import IMAGES, means, ranges, spread
from adexport.quantize import quantized

SIZES = np.array([100.0, 1.0, 0.01, 1.0], np.float32)
RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(0, 256, (40, 6, 6, 4), np.uint8)


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


def outputs_of(model: onnx.ModelProto, images: NDArray[np.uint8] = IMAGE) -> dict[str, NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"image": images}), strict=True))


def test_each_channel_has_a_range_of_its_own() -> None:
    # Channels differ in size by 10,000 on the way in and again on the way out.
    weights = RANDOM.normal(size=(4, 4, 3, 3)) / SIZES[:, np.newaxis, np.newaxis] * SIZES[::-1, None, None, None]
    model = graph_of(
        [
            helper.make_node("Mul", ["wide", "sizes"], ["sized"]),
            helper.make_node("Conv", ["sized", "weights", "bias"], ["made"], pads=[1, 1, 1, 1]),
            helper.make_node("LeakyRelu", ["made"], ["bent"], alpha=0.2),
            helper.make_node("Sigmoid", ["bent"], ["output"]),
        ],
        ("bent", "output"),
        sizes=SIZES.reshape(1, 4, 1, 1),
        weights=weights.astype(np.float32),
        bias=(SIZES[::-1] * np.array([500, -500, 0, 0])).astype(np.float32),
    )
    int8 = quantized(model, IMAGE)
    exact, near = outputs_of(model)["bent"], outputs_of(int8)["bent"]
    difference = np.sqrt(np.square(near - exact).mean(axis=(0, 2, 3))) / exact.std(axis=(0, 2, 3))
    assert difference.max() < 0.02
    operators = Counter(node.op_type for node in int8.graph.node)
    assert (operators["QuantizeLinear"], operators["DequantizeLinear"]) == (2, 4)


def test_steps_are_put_into_the_layer_before() -> None:
    # Channels differ in size by 100 between the two layers.
    sizes = np.sqrt(SIZES)
    model = graph_of(
        [
            helper.make_node("Conv", ["wide", "first", "bias"], ["made"]),
            helper.make_node("LeakyRelu", ["made"], ["bent"], alpha=0.2),
            helper.make_node("Add", ["bent", "shift"], ["read"]),
            helper.make_node("Conv", ["read", "second"], ["last"], pads=[1, 1, 1, 1]),
            helper.make_node("Sigmoid", ["last"], ["output"]),
        ],
        ("last", "output"),
        first=(RANDOM.normal(size=(4, 4, 1, 1)) * sizes[:, np.newaxis, np.newaxis, np.newaxis]).astype(np.float32),
        bias=sizes * 50,
        shift=(sizes * 20).reshape(1, 4, 1, 1),
        second=(RANDOM.normal(size=(4, 4, 3, 3)) / sizes[:, np.newaxis, np.newaxis]).astype(np.float32),
    )
    int8 = quantized(model, IMAGE)
    exact, near = outputs_of(model)["last"], outputs_of(int8)["last"]
    assert np.sqrt(np.square(near - exact).mean()) < 0.03 * exact.std()
    constants = {each.name: numpy_helper.to_array(each) for each in int8.graph.initializer}
    steps = [constants[node.input[1]] for node in int8.graph.node if node.op_type == "QuantizeLinear"]
    assert len(steps) == 4  # what each of the two reads, pixels and those divided, and what each makes
    assert all((step == 1).all() for step in steps)


def test_products_read_bytes_and_their_sums_are_floats() -> None:
    weights = RANDOM.normal(size=(4, 3)).astype(np.float32)
    model = graph_of(
        [
            helper.make_node("Conv", ["wide", "first", "bias"], ["made"]),
            helper.make_node("Transpose", ["made"], ["places"], perm=[0, 2, 3, 1]),
            helper.make_node("MatMul", ["places", "straight"], ["straight_sum"]),
            helper.make_node("Relu", ["places"], ["positive_part"]),
            helper.make_node("MatMul", ["positive_part", "positive"], ["positive_sum"]),
            helper.make_node("Add", ["straight_sum", "positive_sum"], ["sum"]),
            helper.make_node("Sigmoid", ["sum"], ["output"]),
        ],
        ("sum", "output"),
        first=RANDOM.normal(size=(4, 4, 1, 1)).astype(np.float32),
        # One channel is above zero, one below, two on both sides.
        bias=np.array([1000, -1000, 50, -50], np.float32),
        straight=np.float32(0.3) * weights,
        positive=np.float32(0.7) * weights,
    )
    int8 = quantized(model, IMAGE)
    exact, near = outputs_of(model)["sum"], outputs_of(int8)["sum"]
    assert np.sqrt(np.square(near - exact).mean()) < 0.02 * exact.std()
    assert len(np.unique(near[..., 0])) > 256
    operators = Counter(node.op_type for node in int8.graph.node)
    assert (operators["Relu"], operators["Clip"], operators["MatMul"]) == (0, 1, 2)


@pytest.mark.parametrize("bias", [0.0, 40.0])
def test_channels_that_never_speak_stay_silent(bias: float) -> None:
    weights = RANDOM.normal(size=(4, 4, 1, 1)).astype(np.float32)
    weights[0] = 0
    images = IMAGE.copy()
    images[..., 1] = 0
    model = graph_of(
        [
            helper.make_node("Conv", ["wide", "weights", "bias"], ["made"]),
            helper.make_node("Sigmoid", ["made"], ["output"]),
        ],
        ("made", "output"),
        weights=weights,
        bias=np.array([bias, 0, 0, 0], np.float32),
    )
    exact, near = outputs_of(model, images)["made"], outputs_of(quantized(model, images), images)["made"]
    assert np.abs(near - exact).max() < 0.02 * np.abs(exact).max()
    assert np.abs(near[:, 0] - bias).max() <= 0.01 * bias


def test_what_rounding_shifts_on_average_is_taken_off() -> None:
    offset = RANDOM.normal(size=(1, 3, 6, 6)).astype(np.float32)
    model = graph_of(
        [
            helper.make_node("Conv", ["wide", "weights"], ["made"]),
            helper.make_node("Add", ["made", "offset"], ["sum"]),
            helper.make_node("Sigmoid", ["sum"], ["output"]),
        ],
        ("sum", "output"),
        weights=RANDOM.normal(size=(3, 4, 1, 1)).astype(np.float32),
        offset=offset,
    )
    # Images alike, so that rounding shifts every one of them the same way.
    images = np.repeat(IMAGE[:1], 8, axis=0)
    assert outputs_of(quantized(model, images), images)["sum"] == pytest.approx(
        outputs_of(model, images)["sum"], abs=1e-3
    )


def test_few_channels_and_what_is_behind_the_sigmoid_stay_in_float() -> None:
    model = graph_of(
        [
            helper.make_node("Slice", ["wide", "start", "end", "axis"], ["few"]),
            helper.make_node("Conv", ["few", "first"], ["made"]),
            helper.make_node("Sigmoid", ["made"], ["picture"]),
            helper.make_node("Conv", ["picture", "second"], ["output"]),
        ],
        ("output",),
        start=np.array([0]), end=np.array([3]), axis=np.array([1]),
        first=np.ones((4, 3, 1, 1), np.float32), second=np.ones((1, 4, 1, 1), np.float32),
    )  # fmt: skip
    assert np.array_equal(outputs_of(quantized(model, IMAGE))["output"], outputs_of(model)["output"])


def test_calibration_images_are_spread_and_few_of_large_ones() -> None:
    small = np.arange(2000, dtype=np.uint16).astype(np.uint8).reshape(-1, 1, 1, 1)
    batches = spread(small)
    assert sum(map(len, batches)) == 500 <= IMAGES
    assert np.array_equal(np.concatenate(batches), small[::4])
    assert [batch.shape for batch in spread(np.zeros((9, 1000, 1000, 1), np.uint8))] == [(1, 1000, 1000, 1)] * 3


def test_ranges_hold_zero_and_means_count_every_image() -> None:
    model = graph_of([helper.make_node("Identity", ["wide"], ["output"])], ("output",))
    images = np.full((3, 6, 6, 4), 7, np.uint8)
    images[2] = 10
    batches = [images[:2], images[2:]]
    lowest, highest = ranges(model, ["wide"], batches)["wide"]
    assert (lowest.tolist(), highest.tolist()) == ([0.0] * 4, [10.0] * 4)
    assert means(model, ["wide"], batches)["wide"] == pytest.approx(np.full((1, 4, 6, 6), 8.0))
