"""Scoring folders: adscore against plain loops, against peers, and against what the machine allows.

    make bench DATA=folder                    # folder with screws, for photographs; without it scikit-learn's two
    python -m benchmarks.scoring --quick      # few files, one round: that the benchmark itself works

Every contestant is a process of its own. They take turns, several rounds in one run, and what counts is the ratio to
another in the same round: the machine is shared, so no absolute time is a property of the product. OpenVINO and LiteRT
take part where they are installed. Writes RESULTS.md and results.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from adscore.atomic import appears_when_complete
from benchmarks.scoring_report import Turn, report
from benchmarks.scoring_sets import Scene, large, small

HERE = Path(__file__).parent
ROOT = HERE.parent
BIN = Path(sys.executable).parent

_TABLES = tempfile.TemporaryDirectory(prefix="bench-")

COLD = "import numpy, onnxruntime, PIL.Image; onnxruntime.InferenceSession({!r}, providers=['CPUExecutionProvider'])"


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    pngs: int = 10_000
    png_rounds: int = 7
    jpegs: int = 200
    jpeg_rounds: int = 3
    cold_rounds: int = 15
    files: tuple[int, ...] = (1_000, 10_000, 100_000)


QUICK = Extent(200, 1, 4, 1, 1, (100, 200))


def main() -> None:
    """Measures and writes the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with screws")
    parser.add_argument("--quick", action="store_true", help="few files, one round")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for RESULTS.md and results.json")
    arguments = parser.parse_args()
    extent = QUICK if arguments.quick else Extent()
    data = ["--data", str(arguments.data.absolute())] if arguments.data else []
    numbers = map(str, (extent.pngs, extent.jpegs, *extent.files))
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "benchmarks.scoring_sets", *numbers, *data], check=True, cwd=ROOT
    )
    pngs, jpegs = small(extent.pngs), large(extent.jpegs, arguments.data)
    turns = _compete("png", pngs, extent.pngs, extent.png_rounds, _able())
    turns += _compete("jpeg", jpegs, extent.jpegs, extent.jpeg_rounds, ["plain_loop", "in_batches", "two_threads"])
    turns += _start_cold(pngs, extent.cold_rounds)
    turns += _remember(extent)
    facts = {"rows": _same_rows(pngs), "jpeg scores": _same_scores(jpegs)}
    with appears_when_complete(arguments.out / "RESULTS.md") as partial:
        partial.write_text(report(turns, facts, extent.pngs, extent.jpegs), encoding="utf-8")
    with appears_when_complete(arguments.out / "results.json") as partial:
        everything = {"turns": [vars(turn) for turn in turns], "facts": facts}
        partial.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


def _able() -> list[str]:
    """Returns the contestants for small files that can run here."""
    needs = {"openvino": "openvino", "litert": "ai_edge_litert"}
    return ["plain_loop", "in_batches", "two_threads", "keras_predict"] + [
        name for name, module in needs.items() if find_spec(module)
    ]


def _compete(part: str, scene: Scene, count: int, rounds: int, contestants: list[str]) -> list[Turn]:
    turns: list[Turn] = []
    for number in range(rounds):
        turns += [_contestant(part, name, number, scene) for name in contestants]
        for name, more in (("adscore", []), ("adscore --workers 1", ["--workers", "1"])):
            command = [*_adscore(scene), *more]
            whole, part_of_it = (
                _command(part, name, number, [*command, str(folder)]) for folder in (scene.images, scene.part)
            )
            # What the files beyond the first tenth take: the start of command and workers is in both.
            scale = count / (count - max(1, count // 10))
            loop_wall, loop_cpu = (whole.wall - part_of_it.wall) * scale, (whole.cpu - part_of_it.cpu) * scale
            turns.append(Turn(part, name, number, whole.wall, whole.cpu, loop_wall, loop_cpu, whole.memory))
        turns += [_contestant(part, name, number, scene) for name in ("decoding", "network")]
        print(f"{part}: round {number + 1} of {rounds}", file=sys.stderr)
    return turns


def _start_cold(scene: Scene, rounds: int) -> list[Turn]:
    one = str(min(scene.images.iterdir()))
    turns = []
    for number in range(rounds):
        turns.append(_command("cold", "libraries", number, [sys.executable, "-c", COLD.format(str(scene.detector))]))
        turns.append(_command("cold", "adscore", number, [*_adscore(scene), one]))
    return turns


def _remember(extent: Extent) -> list[Turn]:
    turns = []
    for count in extent.files:
        scene = small(extent.pngs, link=count)
        for name, more in (("--workers 1", ["--workers", "1"]), ("--low-memory", ["--low-memory"])):
            turns.append(_command("memory", f"{name}: {count}", 0, [*_adscore(scene), str(scene.images), *more]))
    return turns


def _same_rows(scene: Scene) -> str:
    """Returns in how many ways the table came out the same to the byte."""
    ways = [["--workers", workers, "--batch-size", size] for workers in "123" for size in ("1", "7", "32")]
    tables = {_output([*_adscore(scene, "-"), str(scene.images), *way]) for way in ways}
    if len(tables) > 1:
        raise SystemExit(f"{len(tables)} different tables by {len(ways)} ways to score one folder")
    return f"the same to the byte in {len(ways)} ways (1 to 3 workers, batches of 1, 7 and 32)"


def _same_scores(scene: Scene) -> str:
    """Returns how many scores of files differ from those of the images as training reads them."""
    from adscore import Detector
    from adtrain.source import read_batches, reopen_source, survey

    detector = Detector(scene.detector)
    source = reopen_source(str(scene.images), detector.spec.image)
    expected = [score for batch in read_batches(source, survey(source).readable) for score in detector.score(batch)]
    rows = _output([*_adscore(scene, "-"), str(scene.images)]).splitlines()[1:]
    differing = sum(row.split(",")[1] != f"{score:.9g}" for row, score in zip(rows, expected, strict=True))
    if differing:
        raise SystemExit(f"{differing} of {len(rows)} scores differ from the training-time path")
    return f"none of {len(rows)} differs from the training-time path"


def _adscore(scene: Scene, out: str | None = None) -> list[str]:
    table = out or str(Path(_TABLES.name) / "rows.csv")
    return [str(BIN / "adscore"), "--model", str(scene.detector), "--out", table]


def _contestant(part: str, name: str, number: int, scene: Scene) -> Turn:
    places = [scene.detector, scene.run, scene.litert or "", scene.images]
    command = [sys.executable, "-m", "benchmarks.scoring_contestants", name, *map(str, places)]
    return _command(part, name, number, command, read=True)


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


def _command(part: str, name: str, number: int, command: list[str], *, read: bool = False) -> Turn:
    """Runs a command to its end; with `read` it prints the seconds of its loop."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=complained, cwd=ROOT)  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0), complained.seek(0)
        if process.returncode:
            raise SystemExit(f"{name} failed: {complained.read().decode(errors='replace')}")
        loop = json.loads(said.read().splitlines()[-1]) if read else {"wall": wall, "cpu": 0.0}
    cpu = usage.ru_utime + usage.ru_stime
    return Turn(part, name, number, wall, cpu, loop["wall"], loop["cpu"], usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
