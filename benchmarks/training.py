"""`adtrain fit` on the bundled set, and scoring, against the script that the project grew from: writes TRAINING.md.

    make bench-training

Both are processes of their own and take turns with the same seeds; what counts is the ratio in one round, start-up
included: the machine is shared, so no absolute time is a property of the product.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from adscore.atomic import appears_when_complete
from adscore.detector import Detector
from adtrain.arrays import load_demo

ADTRAIN = str(Path(sys.executable).with_name("adtrain"))
HERE = Path(__file__).parent
ROOT = HERE.parent
SEEDS = (42, 1, 2)
TURNS = 25
BATCH = 32

TEXT = """# Training benchmark

Written by `make bench-training` (`benchmarks/training.py`), {rounds} seeds in turn, whole processes on {cpus} CPUs of a
shared machine. What `adtrain fit` takes on the bundled set, as a share of what the plain Keras script takes
(`benchmarks/seed_script.py`: 20 epochs at batch 32); median, lowest and highest.

| | share |
| --- | --- |
| training: wall time | {wall} |
| training: CPU time | {cpu} |
| scoring: CPU time an image, the script's network exported likewise (one thread, {turns} turns) | {scoring} |

What either finds: [QUALITY.md](QUALITY.md).
"""


def main() -> None:
    """Measures and writes."""
    rounds = []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in SEEDS:
            script = _run([sys.executable, "benchmarks/seed_script.py", str(seed)])
            fit = _run([ADTRAIN, "fit", "--seed", str(seed), "--out", f"{scratch}/{seed}"])
            rounds.append([mine / theirs for mine, theirs in zip(fit, script, strict=True)])
            print(f"seed {seed}: wall and CPU time of adtrain fit over the script's: {rounds[-1]}", file=sys.stderr)
        # What its weights are makes no difference to the time that its network takes.
        _run([ADTRAIN, "fit", "--recipe", "tutorial", "--epochs", "1", "--out", f"{scratch}/tutorial"])
        scoring = _scoring_shares(*(_exported(Path(scratch) / name) for name in (str(SEEDS[0]), "tutorial")))
    wall, cpu = ([ratios[place] for ratios in rounds] for place in (0, 1))
    with appears_when_complete(HERE / "TRAINING.md") as partial:
        cpus = len(os.sched_getaffinity(0))
        spreads = {"wall": _spread(wall), "cpu": _spread(cpu), "scoring": _spread(scoring)}
        text = TEXT.format(rounds=len(rounds), cpus=cpus, turns=TURNS, **spreads)
        partial.write_text(text, encoding="utf-8")


def _exported(run: Path) -> Detector:
    _run([ADTRAIN, "export", str(run), "--out", f"{run}.onnx"])
    return Detector(f"{run}.onnx", threads=1)


def _scoring_shares(own: Detector, script: Detector) -> list[float]:
    """Returns, turn by turn, the CPU time that one detector takes for the test images over the other's."""
    demo = load_demo("test").images[..., np.newaxis]
    shares = []
    for _ in range(TURNS + 1):
        seconds = []
        for detector in (own, script):
            started = time.process_time()
            detector.score(demo, batch_size=BATCH)
            seconds.append(time.process_time() - started)
        shares.append(seconds[0] / seconds[1])
    return shares[1:]  # the first allocates


def _run(command: list[str]) -> tuple[float, float]:
    """Returns the (wall, CPU) seconds of a command."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
