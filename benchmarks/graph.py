"""The exported graph against the converter's own, OpenVINO and LiteRT, float and int8: writes GRAPH.md and graph.json.

    make bench-graph DATA=folder        # folder with screws and paper; without it the demo network alone

Each network is trained once, into artifacts/graph, and then run by every contestant in turn, several rounds in one
process, one thread each. What counts is the CPU time of an image against the plain graph in the same round: the machine
is shared, so no absolute time is a property of the product. OpenVINO (with nncf) and LiteRT take part where they are
installed; they run the same weights.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from adscore.atomic import appears_when_complete
from adtrain.quiet import import_tensorflow

HERE = Path(__file__).parent
RUNS = HERE.parent / "artifacts" / "graph"
BATCH = 32
ROUNDS = 15
# One turn takes about so long.
_TURN_SECONDS = 0.25

Score = Callable[[Any], Any]  # uint8 (BATCH, height, width, channels) -> float32 (BATCH,)


@dataclass(frozen=True)
class Network:
    """A network to train: where its images come from, and what is asked for beyond the defaults."""

    name: str
    data: str | None  # below the folder of data; None: the bundled set
    size: tuple[int, int] | None = None
    mode: str | None = None
    tile: int | None = None
    epochs: int | None = None
    views: int | None = None


# Of the larger ones only speed is measured, which no further epoch changes.
NETWORKS = (
    Network("demo, 28x28 grey", None),
    Network("screws, 64x64 RGB, whole", "screws", (64, 64), "RGB", 0, epochs=3, views=10),
    Network("paper, 128x128 grey, whole", "paper/PA_BDP01_TL", (128, 128), "L", 0, epochs=3, views=10),
    Network("paper, 128x128 RGB, tiles", "paper/PA_BDP01_TL", epochs=3),
)


@dataclass(frozen=True)
class Row:
    """How one contestant did on one network; ratios are CPU times of the plain graph over its own, in one round."""

    network: str
    contestant: str
    median: float
    lowest: float
    highest: float
    size: int  # bytes
    largest_difference: float  # of a score from the plain graph's, relative, over one batch of held-out images


def main() -> None:
    """Trains what is missing, measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with screws and paper")
    data = parser.parse_args().data
    import_tensorflow()
    rows = []
    for network in NETWORKS:
        if network.data and not (data and (data / network.data).is_dir()):
            print(f"{network.name}: no {network.data} below --data, left out", file=sys.stderr)
            continue
        rows += _measure(network, data)
    with appears_when_complete(HERE / "graph.json") as partial:
        partial.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    with appears_when_complete(HERE / "GRAPH.md") as partial:
        partial.write_text(_table(rows), encoding="utf-8")


def _measure(network: Network, data: Path | None) -> list[Row]:
    contestants, pixels = _contestants(network, data)
    expected = contestants["plain"][0](pixels)
    times: dict[str, list[float]] = {name: [] for name in contestants}
    started = time.process_time()
    contestants["plain"][0](pixels)
    repeats = max(1, round(_TURN_SECONDS / (time.process_time() - started)))
    for _ in range(ROUNDS):
        for name, (score, _) in contestants.items():
            started = time.process_time()
            for _ in range(repeats):
                score(pixels)
            times[name].append(time.process_time() - started)
    rows = []
    for name, (score, size) in contestants.items():
        ratios = [plain / own for plain, own in zip(times["plain"], times[name], strict=True)]
        difference = float(np.max(np.abs(score(pixels) - expected) / expected))
        rows.append(Row(network.name, name, statistics.median(ratios), min(ratios), max(ratios), size, difference))
        print(rows[-1], file=sys.stderr)
    return rows


def _contestants(network: Network, data: Path | None) -> tuple[dict[str, tuple[Score, int]], Any]:
    """Returns (score, bytes) by name, and one batch of held-out images."""
    from adexport.graph import detector_function, to_onnx
    from adexport.quantize import quantized
    from adexport.rewrites import INT8_RULES
    from adtrain.run import load_held_out, load_weights

    run = _run(network, data)
    weights, held_out = load_weights(run), np.asarray(load_held_out(run))
    function = detector_function(weights, run.image, run.scoring)
    plain = to_onnx(function, rules=()).SerializeToString()
    found = {
        "plain": plain,
        "adscore": to_onnx(function).SerializeToString(),
        "adscore int8": quantized(to_onnx(function, INT8_RULES), held_out).SerializeToString(),
    }
    contestants = {name: (_onnx_runtime(content), len(content)) for name, content in found.items()}
    if find_spec("openvino") and find_spec("nncf"):
        contestants |= _openvino(plain, held_out)
    if find_spec("ai_edge_litert"):
        contestants |= _litert(function, held_out)
    return contestants, np.resize(held_out, (BATCH, *held_out.shape[1:]))


def _run(network: Network, data: Path | None) -> Any:
    from adtrain.fit import fit
    from adtrain.run import load_run

    folder = RUNS / network.name.replace(", ", "-").replace(" ", "-")
    if not folder.is_dir():
        source = None if network.data is None or data is None else str(data / network.data)
        fit(
            source, folder, {"tile": network.tile, "epochs": network.epochs, "views": network.views},
            size=network.size, mode=network.mode,  # type: ignore[arg-type]
            notify=lambda line: print(line, file=sys.stderr),
        )  # fmt: skip
    return load_run(folder)


def _onnx_runtime(content: bytes) -> Score:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(["score"], {"image": pixels})[0]


def _openvino(plain: bytes, held_out: Any) -> dict[str, tuple[Score, int]]:
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


def _litert(function: Any, held_out: Any) -> dict[str, tuple[Score, int]]:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    frozen = convert_variables_to_constants_v2(function.get_concrete_function())

    def converted(*, int8: bool) -> bytes:
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
        if int8:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: (
                [held_out[place : place + 1]] for place in range(min(300, len(held_out)))
            )
        content: bytes = converter.convert()
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


def _table(rows: list[Row]) -> str:
    lines = [
        "# The exported graph",
        "",
        f"Written by `make bench-graph` (`benchmarks/graph.py`): one thread, batches of {BATCH}, CPU time, {ROUNDS}",
        "rounds in turn on a shared machine. *Faster*: how many times, against the graph as the converter wrote it;",
        "median, and in brackets the lowest and highest round. *Difference*: the largest of a score from the plain",
        "graph's, relative.",
        "",
        "| network | contestant | faster | bytes | difference |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row.network} | {row.contestant} | {row.median:.2f} ({row.lowest:.2f} to {row.highest:.2f}) | {row.size:,} "
        f"| {row.largest_difference:.1e} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
