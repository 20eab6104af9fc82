"""What ONNX Runtime's optimizers would take for quantized, though it is not: none of it is in the graph."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from adexport.scoring import Scoring, Typical
from adscore.spec import ImageSpec
from adtrain.quiet import import_tensorflow

pytestmark = pytest.mark.slow

# They move DequantizeLinear over these.
MOVED_OVER = ("MaxPool", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Identity")


def taken_for_quantized(model: onnx.ModelProto) -> list[str]:
    """Returns the layers of which `WeightBiasQuantization` would round weights or bias: it reads one step for all."""
    makers = {output: node for node in model.graph.node for output in node.output}
    constants = {each.name: each for each in model.graph.initializer}
    found = []
    for layer in model.graph.node:
        if layer.op_type not in ("Conv", "ConvTranspose", "Gemm"):
            continue
        maker = makers.get(layer.input[0])
        while maker is not None and maker.op_type in MOVED_OVER:
            maker = makers.get(maker.input[0])
        if maker is None or maker.op_type != "DequantizeLinear" or np.prod(constants[maker.input[1]].dims) > 1:
            continue
        if constants.keys() & set(layer.input[1:]):
            found.append(layer.name)
    return found


@pytest.mark.parametrize(
    ("channels", "tile", "light"), [(1, 0, "as_is"), (3, 0, "as_is"), (1, 16, "as_is"), (3, 16, "even")]
)
def test_no_layer_is_taken_for_quantized(channels: int, tile: int, light: Any) -> None:
    import_tensorflow()
    import keras

    from adexport.graph import detector_function, to_onnx
    from adexport.quantize import quantized
    from adexport.rewrites import INT8_RULES
    from adtrain.model import build_autoencoder

    keras.utils.clear_session()
    autoencoder = build_autoencoder(tile or 32, tile or 32, channels, filters=(4, 8), latent=4).autoencoder
    typical = Typical(0.05, (0.01, 0.1, 0.2, 0.05, 0.5), ((0.01,),))
    scoring = Scoring("deviation" if tile else "relative", 0.7, tile, typical, light)
    function = detector_function(autoencoder, ImageSpec(32, 32, "L" if channels == 1 else "RGB"), scoring)
    pictures = np.random.default_rng(0).integers(0, 256, (4, 32, 32, channels), np.uint8)
    plain = to_onnx(function)
    for model in (plain, quantized(to_onnx(function, INT8_RULES), pictures)):
        assert taken_for_quantized(model) == []
        assert any(node.op_type == "DequantizeLinear" for node in model.graph.node)
    if light == "as_is" and not tile:
        assert taken_for_quantized(with_one_scale(plain)) == ["Conv_0"]


def with_one_scale(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns the graph as it was before: one scale for all pixels."""
    pixels = next(node for node in model.graph.node if node.op_type == "DequantizeLinear")
    scale = next(each for each in model.graph.initializer if each.name == pixels.input[1])
    one = numpy_helper.from_array(numpy_helper.to_array(scale)[0], scale.name)
    scale.CopyFrom(one)
    pixels.CopyFrom(helper.make_node("DequantizeLinear", list(pixels.input), list(pixels.output)))
    onnx.checker.check_model(model)
    return model
