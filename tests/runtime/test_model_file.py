"""Whatever may be given as a detector: one `error:` line and exit 1, by the real command."""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from adscore import Detector
from adscore.errors import ModelError
from adscore.spec_json import to_json
from tests.conftest import Run
from tests.tiny import GRAPH, paint, tiny_detector, tiny_spec

SPEC = to_json(tiny_spec())
LAST = "(anomaly_map)\n}}"


def scored_by(graph: str, operators: str) -> str:
    """Returns the graph with operators that make `score` of `mean`, its own score."""
    return graph.replace("score = ReduceMean", "mean = ReduceMean").replace(LAST, f"(anomaly_map)\n{operators}\n}}}}")


def spec(old: str, new: str) -> bytes:
    """Returns the tiny detector with a part of its spec replaced."""
    assert old in SPEC
    return tiny_detector(metadata=SPEC.replace(old, new))


# Shapes that only a run shows: the rank of the score depends on values.
RANK_TWO = scored_by(
    GRAPH,
    "whole = Cast <to = 7> (mean)\n found = NonZero (whole)\n counts = Shape (found)\n"
    "none = Constant <value_ints = [0]> ()\n nothing = Mul (counts, none)\n length = Shape (mean)\n"
    "one = Constant <value_ints = [1]> ()\n both = Concat <axis = 0> (length, one)\n shape = Add (both, nothing)\n"
    "score = Reshape (mean, shape)",
)
TERABYTES = GRAPH.replace(
    "scaled = Div (pixels, full)",
    "shape = Constant <value_ints = [100000, 100000, 100, 1]> ()\n most = ReduceMax <keepdims = 0> (pixels)\n"
    "large = Expand (most, shape)\n again = ReduceMax <keepdims = 0> (large)\n scaled = Div (pixels, again)",
)
NO_ENTRY = GRAPH.replace(
    "pixels = Cast <to = 1> (image)",
    "given = Cast <to = 1> (image)\n far = Constant <value_ints = [77]> ()\n row = Gather <axis = 1> (given, far)\n"
    "pixels = Add (given, row)",
)
DOUBLE = scored_by(GRAPH, "score = Cast <to = 11> (mean)").replace("float[batch] score", "double[batch] score")
FLOAT_INPUT = GRAPH.replace("uint8[batch", "float[batch").replace("Cast <to = 1> (image)", "Identity (image)")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "cannot be read (the file is empty); give the path of a detector file"),
        (b"\x89PNG\r\n\x1a\n", "the detector cannot be loaded: "),
        (tiny_detector()[: len(tiny_detector()) // 2], "the detector cannot be loaded: "),
        (tiny_detector()[:-1], "the detector cannot be loaded: "),
        (tiny_detector(metadata="[" * 100_000), "adscore.spec is not valid JSON (maximum recursion"),
        (tiny_detector(metadata=SPEC + " " * 2**20), "adscore.spec has 1,0"),
        (spec('"L"', f'"{"L" * 9999}"'), "adscore.spec is damaged: adscore.spec.image.mode is 'LLLLL"),
        (spec('"L"', '"\\u001b[2J\\ud800"'), "adscore.spec is damaged: adscore.spec.image.mode is '\\x1b[2J\\ud800'"),
        (spec('"threshold":', '"threshold":NaN,"x":'), "adscore.spec is not valid JSON (NaN is not a JSON number)"),
        (spec('"images":400', '"images":-4'), "adscore.spec is damaged: training.images is negative"),
        (spec('"target":0.01', '"target":7'), "adscore.spec is damaged: calibration.target does not lie between"),
        (spec('"format_version":3', '"format_version":4'), "adscore.spec has format_version 4 and this adscore"),
        (spec('"mode":"L"', '"mode":"RGB"'), "the graph's image is ('tensor(uint8)', (4, 4, 1)) and its spec says"),
        (spec('"width":4', '"width":1000000'), "the graph's image is ('tensor(uint8)', (4, 4, 1)) and its spec"),
        (tiny_detector().replace(b'"mode"', b'"\xff\xfeme"'), "the metadata cannot be read: "),
        (tiny_detector().replace(b"batch", b"\x9batch"[:5]), "the metadata cannot be read: "),
        (tiny_detector(graph=DOUBLE), "the graph's score is ('tensor(double)', ()) and its spec says"),
        (tiny_detector(graph=FLOAT_INPUT), "the graph's image is ('tensor(float)', (4, 4, 1)) and its"),
        (tiny_detector(graph=GRAPH.replace("Div (", "Unheard (")), "the detector cannot be loaded: "),
        (tiny_detector(graph=TERABYTES), "the detector cannot run: "),
        (tiny_detector(graph=NO_ENTRY), "the detector cannot run: "),
        (tiny_detector(graph=RANK_TWO), "the graph does not give one score an image; export the detector again"),
    ],
    ids=[
        "empty", "not ONNX", "half", "a byte short", "deep JSON", "giant spec", "giant value", "control characters",
        "NaN", "negative count", "no rate", "version", "channels", "size", "spec not UTF-8", "names not UTF-8",
        "float64", "float input", "operator", "memory", "index", "rank of the score",
    ],
)  # fmt: skip
def test_what_is_no_detector_is_one_line_and_exit_1(run: Run, tmp_path: Path, content: bytes, fault: str) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    paint(tmp_path / "a.png", 255)
    done = run("adscore", "a.png", "--model", "m.onnx", "--out", "r.csv")
    assert done.returncode == 1
    detector, error = done.stderr.splitlines()
    assert detector == "detector: m.onnx"
    assert fault in error
    assert error.startswith("error: ")
    assert error.isprintable()
    assert len(error) < 700
    assert not (tmp_path / "r.csv").exists()


def test_what_is_no_file_is_refused_and_not_waited_for(run: Run, tmp_path: Path) -> None:
    paint(tmp_path / "a.png", 255)
    os.mkfifo(tmp_path / "pipe.onnx")
    for model, cause in (("pipe.onnx", "not a regular file"), ("/dev/zero", "not a regular file"), (".", "Is a direc")):
        done = run("adscore", "a.png", "--model", model)
        assert done.returncode == 1
        assert done.stderr.splitlines()[1].startswith(f"error: {model} cannot be read ({cause}")


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "/etc/hostname"])
def test_weights_outside_of_the_file_are_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    model = onnx.load_from_string(
        tiny_detector(graph=GRAPH.replace("float full = {{255.0}}", "float[1] full = {{255.0}}"))
    )
    (full,) = (tensor for tensor in model.graph.initializer if tensor.name == "full")
    full.ClearField("float_data")
    full.ClearField("raw_data")
    full.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "4")):
        full.external_data.add(key=key, value=value)
    (tmp_path / "here").mkdir()
    for folder in (tmp_path, tmp_path / "here"):
        (folder / "weights.bin").write_bytes(np.float32(255).tobytes())
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(ModelError, match="the detector cannot be loaded: .*[Ee]xternal data path"):
        Detector(model.SerializeToString())


def test_info_prints_no_control_characters(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(
        tiny_detector(metadata=SPEC.replace('"keras":"3"', '"keras":"\\u001b[2J\\ud800\\n"'))
    )
    done = run("adscore", "--info", "--model", "m.onnx")
    assert (done.returncode, done.stderr) == (0, "detector: m.onnx\n")
    assert "versions   keras \\x1b[2J\\ud800\\n\n" in done.stdout


def test_a_score_that_is_no_number_is_an_error_row(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(tiny_detector(graph=scored_by(GRAPH, "score = Log (mean)")))
    paint(tmp_path / "a.png", 0)
    done = run("adscore", "a.png", "--model", "m.onnx")
    assert done.returncode == 3
    assert done.stdout.splitlines()[1] == 'a.png,,0.495000005,,,"the score is -inf, which is no number"'
