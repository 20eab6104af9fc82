"""The contestants of `make bench-graph`: the same weights in ONNX Runtime, OpenVINO and LiteRT, one thread each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

BATCH = 32

Score = Callable[[Any], Any]  # uint8 (BATCH, height, width, channels) -> float32 (BATCH,)


def by_onnx_runtime(content: bytes) -> Score:
    """Returns the scoring of an ONNX file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(["score"], {"image": pixels})[0]


def by_openvino(plain: bytes, held_out: Any) -> dict[str, tuple[Score, int]]:
    """Returns (scoring, bytes) in float and in int8, quantized by nncf with held-out images."""
    import nncf
    import openvino

    core = openvino.Core()
    model = core.read_model(plain)
    samples = [held_out[start : start + 1] for start in range(min(300, len(held_out)))]
    narrow = nncf.quantize(model, nncf.Dataset(samples))

    def compiled(graph: Any) -> Score:
        graph.reshape({0: [BATCH, *held_out.shape[1:]]})
        settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": 1}
        network = core.compile_model(graph, "CPU", settings)
        return lambda pixels: network([pixels])["score"]

    return {
        "OpenVINO": (compiled(model), _openvino_size(model)),
        "OpenVINO int8": (compiled(narrow), _openvino_size(narrow)),
    }


def _openvino_size(model: Any) -> int:
    import tempfile

    import openvino

    with tempfile.TemporaryDirectory() as scratch:
        openvino.save_model(model, Path(scratch) / "model.xml", compress_to_fp16=False)
        return sum(path.stat().st_size for path in Path(scratch).iterdir())


def by_litert(function: Any, held_out: Any) -> dict[str, tuple[Score, int]]:
    """Returns (scoring, bytes) in float and in int8, quantized by TensorFlow with held-out images.

    Raises:
        RuntimeError: its converter does not know every operator; even light takes some in float64.
    """
    import tensorflow as tf
    from tensorflow.lite.python.convert_phase import ConverterError
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    frozen = convert_variables_to_constants_v2(function.get_concrete_function())

    def converted(*, int8: bool) -> bytes:
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
        if int8:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: (
                [held_out[place : place + 1]] for place in range(min(300, len(held_out)))
            )
        try:
            content: bytes = converter.convert()
        except ConverterError as error:
            raise RuntimeError("its converter does not know every operator") from error
        return content

    return {
        name: (_litert_score(content), len(content))
        for name, content in (("LiteRT", converted(int8=False)), ("LiteRT int8", converted(int8=True)))
    }


def _litert_score(content: bytes) -> Score:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    image = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(image["index"], [BATCH, *image["shape"][1:]])
    interpreter.allocate_tensors()
    scores = next(each for each in interpreter.get_output_details() if len(each["shape"]) == 1)

    def score(pixels: Any) -> Any:
        interpreter.set_tensor(image["index"], pixels)
        interpreter.invoke()
        return interpreter.get_tensor(scores["index"])

    return score
