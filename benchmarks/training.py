"""`adtrain fit` on the bundled set against the plain script that the project grew from: writes TRAINING.md.

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

from adscore.atomic import appears_when_complete

HERE = Path(__file__).parent
ROOT = HERE.parent
SEEDS = (42, 1, 2)

TEXT = """# Training benchmark

Written by `make bench-training` (`benchmarks/training.py`), {rounds} seeds in turn, whole processes on {cpus} CPUs of a
shared machine. What `adtrain fit` takes on the bundled set, as a share of what the plain Keras script takes
(`benchmarks/seed_script.py`: 20 epochs at batch 32); median, lowest and highest.

| | share |
| --- | --- |
| wall time | {wall} |
| CPU time | {cpu} |

What either finds: [QUALITY.md](QUALITY.md).
"""


def main() -> None:
    """Measures and writes."""
    rounds = []
    for seed in SEEDS:
        script = _run([sys.executable, "benchmarks/seed_script.py", str(seed)])
        with tempfile.TemporaryDirectory() as scratch:
            fit = [
                str(Path(sys.executable).with_name("adtrain")),
                "fit",
                "--seed",
                str(seed),
                "--out",
                f"{scratch}/run",
            ]
            rounds.append([mine / theirs for mine, theirs in zip(_run(fit), script, strict=True)])
        print(f"seed {seed}: wall and CPU time of adtrain fit over the script's: {rounds[-1]}", file=sys.stderr)
    wall, cpu = ([ratios[place] for ratios in rounds] for place in (0, 1))
    with appears_when_complete(HERE / "TRAINING.md") as partial:
        cpus = len(os.sched_getaffinity(0))
        text = TEXT.format(rounds=len(rounds), cpus=cpus, wall=_spread(wall), cpu=_spread(cpu))
        partial.write_text(text, encoding="utf-8")


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
