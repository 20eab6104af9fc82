"""Sums in the graph: each is short, so that it is right, and stays so whatever reduces the map."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from adexport.scoring import Light, Reduction, Scoring, Typical
from adscore.spec import ImageSpec
from adtrain.quiet import import_tensorflow

pytestmark = pytest.mark.slow

TYPICAL = Typical(contrast=0.05, statistics=(0.1, 0.2, 0.4, 0.1, 0.4), error=((0.1,),))
# Half of the accuracy that export asks for would be enough; sums that are short are far better.
CLOSE = 1e-6


def black(height: int, width: int, channels: int) -> Any:
    """Returns a network that makes every picture black, so that the error is the squared picture."""
    import_tensorflow()
    import keras

    image = keras.Input((height, width, channels))
    return keras.Model(image, keras.layers.Lambda(lambda pixels: pixels * 0, output_shape=image.shape[1:])(image))


def graph_of(width: int, height: int, channels: int, scoring: Scoring, *, int8: bool = False) -> onnx.ModelProto:
    import_tensorflow()
    from adexport.graph import detector_function, to_onnx
    from adexport.rewrites import INT8_RULES, RULES

    network = black(scoring.tile or height, scoring.tile or width, channels)
    function = detector_function(network, ImageSpec(width, height, "L" if channels == 1 else "RGB"), scoring)
    return to_onnx(function, INT8_RULES if int8 else RULES)


def as_onnx_runtime_runs_it(model: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.load(path)


def sums(model: onnx.ModelProto) -> Iterator[tuple[str, list[int]]]:
    """Yields the operator and the lengths of the axes of every sum."""
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    constants = {each.name: onnx.numpy_helper.to_array(each).tolist() for each in graph.initializer}
    shapes = {
        value.name: [side.dim_value for side in value.type.tensor_type.shape.dim]
        for value in [*graph.input, *graph.value_info, *graph.output]
    }
    for node in graph.node:
        if node.op_type in ("GlobalAveragePool", "AveragePool", "Einsum", "CumSum"):
            yield node.op_type, []
        if node.op_type.startswith("Reduce") and node.op_type not in ("ReduceMax", "ReduceMin"):
            attributes = {each.name: list(each.ints) for each in node.attribute if each.name == "axes"}
            axes = attributes["axes"] if attributes else constants[node.input[1]]
            yield node.op_type, [shapes[node.input[0]][axis] for axis in axes]


# `deviation` holds the sums of all others but `normalized`, which has none.
@pytest.mark.parametrize(
    ("reduction", "tile", "light", "int8"),
    [
        ("mean", 0, "as_is", False), ("top", 0, "as_is", False), ("relative", 0, "as_is", True),
        ("normalized", 32, "even", False), ("deviation", 0, "even", True), ("deviation", 32, "as_is", False),
        ("deviation", 32, "even", True),
    ],
)  # fmt: skip
def test_every_sum_is_over_one_short_axis(
    reduction: Reduction, tile: int, light: Light, int8: bool, tmp_path: Path
) -> None:
    from adexport.sums import LONGEST

    model = graph_of(288, 256, 1, Scoring(reduction, 0.7, tile, TYPICAL, light), int8=int8)
    for each in (model, as_onnx_runtime_runs_it(model, tmp_path / "optimized.onnx")):
        found = list(sums(each))
        assert len(found) >= 3
        assert all(len(lengths) == 1 and 0 < lengths[0] <= LONGEST for _, lengths in found), found


def near_binary(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).choice(np.array([3, 250], np.uint8), (height, width), p=[0.6, 0.4])


def specks(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).choice(np.array([2, 230], np.uint8), (height, width), p=[0.97, 0.03])


def one_grey(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width), 140, np.uint8)


# The last has sides that no short piece divides.
@pytest.mark.parametrize(("width", "height"), [(256, 256), (1024, 2048), (1028, 1028)])
@pytest.mark.parametrize("paint", [near_binary, specks, one_grey])
def test_a_score_is_the_mean_to_the_last_digits(paint: Any, width: int, height: int) -> None:
    pixels = paint(height, width)
    session = onnxruntime.InferenceSession(
        graph_of(width, height, 1, Scoring("mean")).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (score,) = session.run(["score"], {"image": pixels[np.newaxis, ..., np.newaxis]})[0]
    assert score == pytest.approx(np.square(pixels / 255).mean(), rel=CLOSE)


@pytest.mark.parametrize("paint", [near_binary, specks])
def test_contrast_and_the_top_hundredth_are_right_as_well(paint: Any) -> None:
    pixels = paint(512, 512) + np.random.default_rng(1).integers(0, 3, (512, 512), dtype=np.uint8)
    grey = pixels / 255
    expected = {
        "relative": np.square(grey).mean() / (grey.var() + TYPICAL.contrast + 1 / 255**2 / 12),
        "top": np.sort(np.square(grey).ravel())[-round(0.01 * grey.size) :].mean(),
    }
    for reduction in ("relative", "top"):
        model = graph_of(512, 512, 1, Scoring(reduction, typical=TYPICAL))
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        (score,) = session.run(["score"], {"image": pixels[np.newaxis, ..., np.newaxis]})[0]
        assert score == pytest.approx(expected[reduction], rel=CLOSE)


@pytest.mark.parametrize("count", [1, 7, 256, 257, 655, 1028, 66_049, 262_144])
def test_means_of_any_number_of_numbers(count: int) -> None:
    import_tensorflow()
    from adexport.sums import mean_behind

    values = np.random.default_rng(0).random((2, 3, count), np.float32)
    expected = values.astype(np.float64).mean(axis=2)
    assert mean_behind(values, 2).numpy() == pytest.approx(expected, rel=5e-7)
    assert mean_behind(values, 1).numpy() == pytest.approx(expected.mean(axis=1), rel=5e-7)


def test_even_light_of_a_very_large_picture_is_exact() -> None:
    import_tensorflow()
    from adexport.light import light_of

    # Cells of 512x512 of three channels: their sums have no place in float32.
    pixels = np.full((1, 4096, 4096, 3), 253, np.uint8)
    pixels[0, ::7, ::5] = 252
    light = light_of(pixels).numpy()
    assert light.mean(dtype=np.float64) == pytest.approx(pixels.mean() / 255 * 2, rel=1e-7)
