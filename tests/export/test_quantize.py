"""The graph in int8, on graphs small enough to reckon with."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from adexport.observe import IMAGES, means, ranges, spread
from adexport.quantize import quantized
from adexport.steps import LARGEST_PAIR, narrow_weights, weight_steps
from tests.export.small import graph_of, integer_products, largest_sum_of_two, outputs_of

SIZES = np.array([100.0, 1.0, 0.01, 1.0], np.float32)
RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(0, 256, (40, 6, 6, 4), np.uint8)


def last_layer_by_places() -> list[onnx.NodeProto]:
    """Returns a last layer as two products among the places of `made`, by `straight` and `positive` weights."""
    return [
        helper.make_node("Transpose", ["made"], ["places"], perm=[0, 2, 3, 1]),
        helper.make_node("MatMul", ["places", "straight"], ["straight_sum"]),
        helper.make_node("Relu", ["places"], ["positive_part"]),
        helper.make_node("MatMul", ["positive_part", "positive"], ["positive_sum"]),
        helper.make_node("Add", ["straight_sum", "positive_sum"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["output"]),
    ]


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
    exact, near = outputs_of(model, IMAGE)["bent"], outputs_of(int8, IMAGE)["bent"]
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
    exact, near = outputs_of(model, IMAGE)["last"], outputs_of(int8, IMAGE)["last"]
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
            *last_layer_by_places(),
        ],
        ("sum", "output"),
        first=RANDOM.normal(size=(4, 4, 1, 1)).astype(np.float32),
        # One channel is above zero, one below, two on both sides.
        bias=np.array([1000, -1000, 50, -50], np.float32),
        straight=np.float32(0.3) * weights,
        positive=np.float32(0.7) * weights,
    )
    int8 = quantized(model, IMAGE)
    exact, near = outputs_of(model, IMAGE)["sum"], outputs_of(int8, IMAGE)["sum"]
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
    assert np.array_equal(outputs_of(quantized(model, IMAGE), IMAGE)["output"], outputs_of(model, IMAGE)["output"])


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


def test_no_two_products_go_beyond_sixteen_bits(tmp_path: Path) -> None:
    # All weights alike and all pixels white is the worst that can be.
    model = graph_of(
        [
            helper.make_node("Conv", ["wide", "first"], ["made"], pads=[1, 1, 1, 1]),
            *last_layer_by_places(),
        ],
        ("sum", "output"),
        first=np.ones((4, 4, 3, 3), np.float32),
        straight=np.ones((4, 2), np.float32) * np.array([0.3, -0.3], np.float32),
        positive=np.ones((4, 2), np.float32) * np.array([0.7, -0.7], np.float32),
    )
    images = np.concatenate([IMAGE, np.full_like(IMAGE[:4], 255)])
    int8 = quantized(model, images)
    products = integer_products(int8.SerializeToString(), tmp_path)
    assert [weights.shape for weights in products] == [(4, 36), (2, 4), (2, 4)]
    assert [largest_sum_of_two(weights) for weights in products] == [255 * LARGEST_PAIR] * 3
    assert 255 * LARGEST_PAIR <= 32767
    exact, near = outputs_of(model, images)["sum"], outputs_of(int8, images)["sum"]
    assert np.abs(near - exact).max() < 0.01 * np.abs(exact).max()


def test_weights_are_rounded_as_finely_as_any_two_of_them_allow() -> None:
    weights = RANDOM.normal(size=(1000, 6)) * 10 ** RANDOM.uniform(-3, 3, (1000, 6))
    weights[0], weights[1], weights[2] = 0, [5, 0, 0, 0, 0, -5], [5, 5, 0, 0, 0, 0]
    rounded = narrow_weights(weights, weight_steps(weights)).astype(int)
    ordered = np.sort(rounded, axis=1)
    assert np.abs(rounded).max() == 127
    assert max(ordered[:, -2:].sum(axis=1).max(), -ordered[:, :2].sum(axis=1).min()) <= LARGEST_PAIR
    assert rounded[:3].tolist() == [[0] * 6, [127, 0, 0, 0, 0, -127], [64, 64, 0, 0, 0, 0]]


def test_rounding_leaves_the_sum_of_weights() -> None:
    # Each is rounded up by four tenths, 32 weights in all by 12.8.
    weights = np.array([[100.0, -100.0, *[3.6] * 32]])
    rounded = narrow_weights(weights, np.ones(1)).astype(int)
    assert abs(rounded.sum() - weights.sum()) <= 0.5
    assert np.abs(rounded - weights).max() < 1
    assert rounded[0, :2].tolist() == [100, -100]
