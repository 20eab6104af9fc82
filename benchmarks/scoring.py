"""Scoring a folder of small PNG files: adscore against a plain loop, and against what the machine allows.

Run it with `make bench`. Contestants take turns, several rounds in one run, and what counts is their ratio in the same
round: the machine is shared, so no absolute time is a property of the product. Writes benchmarks/RESULTS.md.
"""

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from adscore import Detector, __version__
from adscore.images import decode
from adtrain.arrays import load_demo

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "artifacts" / "demo" / "detector.onnx"
RESULTS = Path(__file__).with_name("RESULTS.md")
IMAGES = 2_000
ROUNDS = 7

Contestant = Callable[[list[Path]], None]


def plain_loop(paths: list[Path]) -> None:
    """The baseline: what one writes first with Pillow and ONNX Runtime, an image at a time."""
    session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    for path in paths:
        pixels = np.asarray(Image.open(path).convert("L"))[np.newaxis, :, :, np.newaxis]
        session.run(["score"], {"image": pixels})


def one_at_a_time(paths: list[Path]) -> None:
    """Adscore with a batch of one."""
    for _ in Detector(MODEL).predict(paths, batch_size=1):
        pass


def in_batches(paths: list[Path]) -> None:
    """Adscore as the command runs it."""
    for _ in Detector(MODEL).predict(paths):
        pass


def decoding_only(paths: list[Path]) -> None:
    """The first part of the limit: decoding, on one thread."""
    spec = Detector(MODEL).spec.image
    for path in paths:
        decode(path, spec)


def network_only(paths: list[Path]) -> None:
    """The second part of the limit: the graph in batches of 32, on one thread."""
    detector = Detector(MODEL, threads=1)
    detector.score(np.zeros((len(paths), *detector.spec.image.shape), np.uint8))


CONTESTANTS: dict[str, Contestant] = {
    "plain loop, one image at a time (baseline)": plain_loop,
    "adscore, batches of 1": one_at_a_time,
    "adscore, batches of 32 (the default)": in_batches,
    "decoding alone, one thread": decoding_only,
    "network alone, one thread": network_only,
}


def measure(contestant: Contestant, paths: list[Path]) -> tuple[float, float]:
    """Returns (wall seconds, CPU seconds)."""
    wall, cpu = time.perf_counter(), time.process_time()
    contestant(paths)
    return time.perf_counter() - wall, time.process_time() - cpu


def spread(values: list[float]) -> str:
    """Returns the median, with the smallest and the largest."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Measures and writes the table."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{index:05}.png" for index in range(IMAGES)]
        for path, image in zip(paths, load_demo("train").images, strict=False):
            Image.fromarray(image).save(path)
        for contestant in CONTESTANTS.values():  # files into the page cache, libraries into memory
            contestant(paths[:100])
        rounds = [{name: measure(run, paths) for name, run in CONTESTANTS.items()} for _ in range(ROUNDS)]
    baseline, _, default, decoding, network = CONTESTANTS
    cpus = len(os.sched_getaffinity(0))
    lines = [
        "# Scoring benchmark",
        "",
        f"{IMAGES:,} PNG of 28x28, the demo detector, {ROUNDS} rounds, contestants in turn; each figure is the",
        "median of the rounds' ratios to the baseline in the same round, with the smallest and the largest. Above 1",
        f"is faster. adscore {__version__}, onnxruntime {onnxruntime.__version__}, Python {platform.python_version()}, "
        f"{cpus} CPUs.",
        "",
        "| contestant | wall time | CPU time |",
        "| --- | --- | --- |",
    ]
    for name in CONTESTANTS:
        wall = [measured[baseline][0] / measured[name][0] for measured in rounds]
        cpu = [measured[baseline][1] / measured[name][1] for measured in rounds]
        lines.append(f"| {name} | {spread(wall)} | {spread(cpu)} |")
    # If decoding and network shared all CPUs without loss.
    limit = [(measured[decoding][1] + measured[network][1]) / cpus for measured in rounds]
    against = [measured[baseline][0] / best for measured, best in zip(rounds, limit, strict=True)]
    lines.append(f"| the limit: (decoding + network) / {cpus} CPUs | {spread(against)} | |")
    share = [best / measured[default][0] for measured, best in zip(rounds, limit, strict=True)]
    lines += ["", f"adscore reaches {spread(share)} of the limit: it decodes and runs in turn, on one thread each."]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
