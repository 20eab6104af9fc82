"""Each rewrite on the graph of a real network: it fits, it changes no score, and it leaves what it promises."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from adexport.scoring import Light
from adtrain.quiet import import_tensorflow

pytestmark = pytest.mark.slow

Graph = Callable[..., onnx.ModelProto]


@pytest.fixture(scope="module")
def plain() -> Graph:
    """Returns a function that makes the converter's own graph of a network whose weights are all different."""
    import_tensorflow()
    import keras

    from adexport.graph import detector_function, to_onnx
    from adexport.scoring import Scoring, Typical
    from adscore.spec import ImageSpec
    from adtrain.model import build_autoencoder

    def make(
        width: int = 16, height: int = 12, channels: int = 1, tile: int = 0, light: Light = "as_is"
    ) -> onnx.ModelProto:
        # Names count up in a process, and the converter goes by them: late in a long one it spelt the blur in another
        # way, which the rule does not know.
        keras.utils.clear_session()
        keras.utils.set_random_seed(1)
        autoencoder = build_autoencoder(
            tile or height, tile or width, channels, filters=(8, 12), latent=5, decoder="narrow"
        ).autoencoder
        random = np.random.default_rng(0)
        for weights in autoencoder.weights:
            low, high = (0.5, 1.5) if "variance" in weights.path or "gamma" in weights.path else (-0.3, 0.3)
            weights.assign(random.uniform(low, high, weights.shape))
        typical = Typical(0.05, (0.01, 0.1, 0.2, 0.05, 0.5), ((0.01, 0.02), (0.03, 0.01)))
        scoring = Scoring("deviation" if tile else "relative", 0.7, tile, typical, light)
        spec = ImageSpec(width, height, "L" if channels == 1 else "RGB")
        return to_onnx(detector_function(autoencoder, spec, scoring), rules=())

    return make


def operators(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def outputs(model: onnx.ModelProto, images: int = 7) -> list[NDArray[np.float32]]:
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape[1:]
    pixels = np.random.default_rng(2).integers(0, 256, (images, *shape), np.uint8)
    result: list[NDArray[np.float32]] = session.run(["score", "anomaly_map", "reconstruction"], {"image": pixels})
    return result


def assert_same(before: onnx.ModelProto, after: onnx.ModelProto) -> None:
    for expected, found in zip(outputs(before), outputs(after), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


def rule(name: str) -> Any:
    from adexport.rewrites import affine, blur, decoder, layout, light, phases, pixels, places, widening

    home, _, own = name.partition(".")
    modules = {
        "affine": affine, "blur": blur, "decoder": decoder, "layout": layout, "light": light, "phases": phases,
        "pixels": pixels, "places": places, "widening": widening,
    }  # fmt: skip
    return getattr(modules[home], own)


DENSE = ["layout.flatten_channels_first", "layout.unflatten_channels_first"]
# As far as the dense layer makes what the phases are made of.
DECODER = [
    *DENSE, "decoder.one_dense", "affine.into_conv_transpose", "affine.into_dense", "affine.add_once",
    "phases.by_phases",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "first", "less", "more"),
    [
        ("pixels.dequantize", [], {"Cast": 1, "Mul": 1}, {"DequantizeLinear": 1}),
        ("layout.flatten_channels_first", [], {"Transpose": 1, "Shape": 1, "Concat": 1}, {}),
        ("layout.unflatten_channels_first", [], {"Transpose": 1}, {}),
        ("decoder.one_dense", DENSE, {"ConvTranspose": 1}, {}),
        ("affine.into_conv", [], {"Mul": 1}, {}),
        ("affine.into_conv_transpose", [], {"Mul": 2}, {}),
        ("affine.into_dense", DENSE, {"Mul": 1}, {}),
        ("affine.add_once", [*DENSE, "affine.into_dense"], {"Add": 1}, {}),
        ("blur.blur_one_channel", [], {"Gather": 2, "Conv": 2}, {"MatMul": 2}),
        ("phases.by_phases", [], {"ConvTranspose": 2}, {"Conv": 2, "Transpose": 6}),
        ("places.last_by_places", DECODER, {"LeakyRelu": 1, "Transpose": 1}, {"MatMul": 2, "Relu": 1, "Add": 1}),
        ("widening.bias_as_weights", DECODER, {"Add": 1}, {"Pad": 1}),
    ],
)
def test_a_rule_fits_and_changes_no_score(
    plain: Graph, name: str, first: list[str], less: dict[str, int], more: dict[str, int]
) -> None:
    from adexport.rewrites import optimized

    before = optimized(plain(), [rule(each) for each in first])
    after = optimized(before, [rule(name)])
    difference = Counter(operators(after))
    difference.subtract(operators(before))
    assert {operator: -difference[operator] for operator in less} == less
    assert {operator: difference[operator] for operator in more} == more
    assert_same(before, after)


def test_the_border_of_a_picture_that_hardly_grows_by_it(plain: Graph) -> None:
    from adexport.rewrites import optimized

    first = [rule(each) for each in (*DECODER, "widening.bias_as_weights")]
    small, large = (optimized(plain(width, height), first) for width, height in ((16, 12), (64, 48)))
    assert operators(optimized(small, [rule("widening.with_border")])) == operators(small)
    after = optimized(large, [rule("widening.with_border")])
    difference = Counter(operators(after))
    difference.subtract(operators(large))
    assert (difference["Add"], difference["Transpose"]) == (-1, 1)
    assert_same(large, after)


def test_the_blur_of_several_channels(plain: Graph) -> None:
    from adexport.rewrites import optimized

    before = plain(channels=3)
    after = optimized(before, [rule("blur.blur_several_channels")])
    assert operators(after)["Gather"] == operators(before)["Gather"] - 2
    assert_same(before, after)


def test_the_light(plain: Graph) -> None:
    from adexport.rewrites import optimized

    before = plain(light="even", channels=3)
    after = optimized(before, [rule("light.surface")])
    difference = Counter(operators(after))
    difference.subtract(operators(before))
    assert {name: number for name, number in difference.items() if number} == {"ReduceSum": -1, "Mul": -1, "MatMul": 1}
    assert_same(before, after)


@pytest.mark.parametrize(("channels", "width", "blocks"), [(1, 64, 4), (3, 64, 4), (1, 96, 5)])
def test_the_blur_in_blocks(plain: Graph, channels: int, width: int, blocks: int) -> None:
    from adexport.rewrites import optimized

    before = optimized(plain(width, 64, channels), [rule("blur.blur_one_channel"), rule("blur.blur_several_channels")])
    after = optimized(before, [rule("blur.blur_in_blocks")])
    difference = Counter(operators(after))
    difference.subtract(operators(before))
    assert {name: number for name, number in difference.items() if number} == {
        "MatMul": blocks - 2, "Slice": blocks, "Concat": 2,
    }  # fmt: skip
    assert_same(before, after)


def test_the_last_layer_of_several_channels_stays_where_the_pixels_are(plain: Graph) -> None:
    from adexport.rewrites import optimized

    before = optimized(plain(channels=3), [rule(each) for each in DECODER])
    assert operators(optimized(before, [rule("places.last_by_places")])) == operators(before)


def test_the_blur_of_a_large_picture_stays_a_convolution(plain: Graph) -> None:
    from adexport.rewrites import optimized

    before = plain(width=260)
    assert operators(optimized(before, [rule("blur.blur_one_channel")])) == operators(before)


@pytest.mark.parametrize("light", ["as_is", "even"])
@pytest.mark.parametrize(("channels", "tile"), [(1, 0), (3, 0), (1, 8), (3, 8)])
def test_the_whole_graph(plain: Graph, channels: int, tile: int, light: str) -> None:
    from adexport.rewrites import INT8_RULES, RULES, optimized

    before = plain(16, 16, channels, tile, light)
    for rules in (RULES, INT8_RULES):
        after = optimized(before, rules)
        assert len(after.graph.node) < len(before.graph.node)
        assert tile or not {"Shape", "Slice"} & operators(after).keys()
        # The light takes pixels as floats, their sums as doubles, and is made floats again.
        assert tile or operators(after)["Cast"] == (3 if light == "even" else 0)
        assert_same(before, after)


def test_a_graph_that_no_rule_fits_stays_as_it_is() -> None:
    from adexport.rewrites import optimized

    image = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["batch", 4])
    score = onnx.helper.make_tensor_value_info("score", onnx.TensorProto.FLOAT, ["batch", 4])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["image"], ["score"])], "graph", [image], [score])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    assert [node.op_type for node in optimized(model).graph.node] == ["Relu"]
