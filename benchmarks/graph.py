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
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from adscore.atomic import appears_when_complete
from adtrain.quiet import import_tensorflow
from benchmarks.graph_contestants import BATCH, Score, by_litert, by_onnx_runtime, by_openvino
from benchmarks.processor import processor

HERE = Path(__file__).parent
RUNS = HERE.parent / "artifacts" / "graph"
ROUNDS = 15
# One turn takes about so long.
_TURN_SECONDS = 0.25


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
    parser.add_argument("--only", default="", help="measure networks whose name holds this text, and keep other rows")
    arguments = parser.parse_args()
    data = arguments.data
    import_tensorflow()
    rows = _rows_of_others(arguments.only)
    for network in NETWORKS:
        if arguments.only not in network.name:
            continue
        if network.data and not (data and (data / network.data).is_dir()):
            print(f"{network.name}: no {network.data} below --data, left out", file=sys.stderr)
            continue
        rows += _measure(network, data)
    with appears_when_complete(HERE / "graph.json") as partial:
        measured = {"processor": processor(), "rows": [asdict(row) for row in rows]}
        partial.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    with appears_when_complete(HERE / "GRAPH.md") as partial:
        partial.write_text(table(rows, processor()), encoding="utf-8")


def _rows_of_others(only: str) -> list[Row]:
    """Returns what was measured before of the networks that are not measured now, on a processor like this one."""
    if not only:
        return []
    measured = json.loads((HERE / "graph.json").read_text(encoding="utf-8"))
    if measured["processor"] != processor():
        sys.exit(
            f"the other rows were measured on {measured['processor']}, and this is {processor()}: measure all, without "
            "--only"
        )
    rows = [Row(**row) for row in measured["rows"]]
    return [row for row in rows if only not in row.network]


def _measure(network: Network, data: Path | None) -> list[Row]:
    contestants, pixels = _contestants(network, data)
    expected = contestants["plain"][0](pixels)
    for name, (score, _) in list(contestants.items()):
        try:
            score(pixels)
        except RuntimeError as error:  # an operator that its int8 form does not run
            print(f"{network.name}: {name} cannot run it ({error}), left out", file=sys.stderr)
            del contestants[name]
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
    contestants = {name: (by_onnx_runtime(content), len(content)) for name, content in found.items()}
    if find_spec("openvino") and find_spec("nncf"):
        contestants |= by_openvino(plain, held_out)
    if find_spec("ai_edge_litert"):
        try:
            contestants |= by_litert(function, held_out)
        except RuntimeError as error:
            print(f"{network.name}: LiteRT cannot run it ({error}), left out", file=sys.stderr)
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


def table(rows: list[Row], measured_on: str) -> str:
    """Returns the text of GRAPH.md."""
    lines = [
        f"# The exported graph, on {measured_on}",
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
