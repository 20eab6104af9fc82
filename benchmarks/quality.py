"""How well anomalies are found, on real sets, with the defaults: writes QUALITY.md and quality.json.

    make bench-quality DATA=folder            # all sets, five seeds; hours, and it goes on where it was stopped
    make bench-quality-quick                  # bundled sets, one seed, few epochs: that the benchmark itself works

Each training is one result in artifacts/quality, kept as long as the code that trains and scores is the same. In the
tables a result stays until it is measured anew, and bears the commit that measured it; rows of different code are said
to be so. Besides
the defaults, the design that the project grew from (`--recipe tutorial`) is measured with one seed; pictures of parts
are shrunk to 64x64 for it, since it takes them whole.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from adscore.atomic import appears_when_complete
from benchmarks.quality_report import Result, report
from benchmarks.quality_sets import QualitySet, quality_sets

HERE = Path(__file__).parent
ROOT = HERE.parent
CACHE = ROOT / "artifacts" / "quality"
SEEDS = (42, 1, 2, 3, 4)
TUTORIAL_SIZE = (64, 64)
ONE_CLASS = ("MNIST", "Fashion-MNIST")

# What trains and scores, in which pictures become pixels and which of them are taken; the rest may change without
# measuring anew.
_CODE = [
    f"{folder}/{name}.py"
    for folder, names in {
        "train/adtrain": (
            "feed", "fit", "layout", "light", "model", "normal_images", "originals", "plan", "repair", "robust",
            "round", "settings", "source", "training", "typical",
        ),
        "export/adexport": ("graph", "light", "reduction", "scoring", "sums", "tiles", "typical"),
        "runtime/adscore": ("depth", "images", "netpbm", "opening", "resize"),
    }.items()
    for name in names
]  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One training."""

    name: str  # of the set
    recipe: str
    seed: int
    epochs: int | None  # None: the default


def main() -> None:
    """Runs what is missing, two trainings at a time on two cores, and writes the tables."""
    arguments = _arguments()
    sets = {each.name: each for each in quality_sets(arguments.data)}
    if arguments.one:
        task = Task(**json.loads(arguments.one))
        _keep(arguments.place, _measure(task, sets[task.name]))
        return
    if arguments.quick:
        tasks = [Task("demo 1 %", "auto", 42, 1), Task("demo clean", "auto", 42, 1)]
    else:
        # What tells most comes first, so that a benchmark that was stopped has something to report.
        cheap = [name for name, each in sets.items() if each.group not in ONE_CLASS]
        dear = [name for name, each in sets.items() if each.group in ONE_CLASS]
        seeds = SEEDS[: arguments.seeds]
        tasks = [Task(name, "auto", seeds[0], None) for name in cheap + dear]
        tasks += [Task(name, "auto", seed, None) for seed in seeds[1:] for name in cheap]
        tasks += [Task(name, "tutorial", SEEDS[0], None) for name in cheap]
        tasks += [Task(name, "auto", seed, None) for seed in seeds[1:] for name in dear]
        tasks += [Task(name, "tutorial", SEEDS[0], None) for name in dear]
    tasks = [task for task in tasks if arguments.only in task.name]
    if arguments.no_tutorial:
        tasks = [task for task in tasks if task.recipe != "tutorial"]
    # Once and for all: the code may be changed while this runs, and what is measured is the code of now.
    places = {task: _place(task) for task in tasks}
    if arguments.report:
        tasks = [task for task in tasks if places[task].is_file()]
    missing = [task for task in tasks if not places[task].is_file()]
    print(f"{len(tasks)} trainings, {len(tasks) - len(missing)} of them measured before", file=sys.stderr)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        runs = pool.map(lambda task: _run(task, places[task], arguments.data), missing)
        for task, _ in zip(missing, runs, strict=True):
            print(places[task].read_text(encoding="utf-8").strip(), file=sys.stderr)
    if arguments.quick:
        return
    measured = [Result(**json.loads(places[task].read_text(encoding="utf-8"))) for task in tasks]
    results = _in_order({result.task: result for result in [*_published(), *measured]}, sets)
    with appears_when_complete(HERE / "QUALITY.md") as partial:
        partial.write_text(report(results), encoding="utf-8")
    with appears_when_complete(HERE / "quality.json") as partial:
        partial.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n", encoding="utf-8")


def _published() -> list[Result]:
    """Returns the results that the tables show now, of whatever code."""
    return [Result(**values) for values in json.loads((HERE / "quality.json").read_text(encoding="utf-8"))]


def _in_order(results: dict[tuple[str, str, int], Result], sets: Iterable[str]) -> list[Result]:
    """Returns the results by set; sets that are not there now stay where they were, behind the others."""
    places = {name: place for place, name in enumerate(sets)}
    return sorted(results.values(), key=lambda result: places.get(result.name, len(places)))


def _whole(path: str) -> Path:
    return Path(path).resolve()  # commands run in other folders


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=_whole, help="folder with mnist.npz, fashion-mnist.npz, paper and screws")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many seeds")
    parser.add_argument("--report", action="store_true", help="train nothing; write the tables from what was measured")
    parser.add_argument("--quick", action="store_true", help="bundled sets, one seed, one epoch")
    parser.add_argument("--no-tutorial", action="store_true", help="leave the design that adscore grew from out")
    parser.add_argument("--only", default="", help="measure the sets whose name holds this text")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(task: Task, place: Path, data: Path | None) -> None:
    """Measures one task in a process of its own, with one thread: as many run side by side as there are cores."""
    command = [sys.executable, "-m", "benchmarks.quality", "--one", json.dumps(asdict(task)), "--place", str(place)]
    if data is not None:
        command += ["--data", str(data)]
    single = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | single, stdout=subprocess.DEVNULL)  # noqa: S603


def _measure(task: Task, chosen: QualitySet) -> Result:
    """Returns what one training came to, by the functions behind the commands."""
    from adtrain.quiet import import_tensorflow

    import_tensorflow()
    from adscore.detector import Detector
    from adtrain.evaluate import score_files
    from adtrain.export import export_run, rule_for
    from adtrain.fit import fit
    from adtrain.labelled import labelled_files

    commit, code = _commit(), _fingerprint(_CODE).hex()[:12]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        prepared = chosen.prepare(folder / "set")
        size = TUTORIAL_SIZE if task.recipe == "tutorial" and prepared.train.is_dir() else None
        before = os.times()
        asked = {"seed": task.seed, "epochs": task.epochs}
        run = fit(
            str(prepared.train), folder / "run", asked,
            recipe="tutorial" if task.recipe == "tutorial" else "auto", size=size, notify=_silent,
        )  # fmt: skip
        after = os.times()
        export_run(run, rule_for(run, fpr=None, quantile=None, threshold=None), folder / "detector.onnx")
        detector = Detector(folder / "detector.onnx", threads=1)
        scored = score_files(detector, labelled_files(str(prepared.test)))
    # Of equal scores the normal image comes first: files are in the order of their folders, anomalies before good.
    order = np.lexsort((scored.known, -scored.scores))[: scored.known.sum()]
    return Result(
        name=task.name,
        group=chosen.group,
        recipe=task.recipe,
        seed=task.seed,
        images=run.training.images,
        auroc=float(roc_auc_score(scored.known, scored.scores)),
        average_precision=float(average_precision_score(scored.known, scored.scores)),
        anomalies=int(scored.known.sum()),
        found=int(scored.known[order].sum()),
        cpu_seconds=after.user + after.system - before.user - before.system,
        commit=commit,
        code=code,
    )


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=9"]
    return subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout.strip()  # noqa: S603


def _silent(_: str) -> None:
    pass


def _place(task: Task) -> Path:
    settings = json.dumps(asdict(task), sort_keys=True).encode()
    return CACHE / f"{hashlib.sha256(_fingerprint(_CODE) + settings).hexdigest()[:20]}.json"


def _fingerprint(files: Iterable[str]) -> bytes:
    digest = hashlib.sha256()
    for name in files:
        digest.update((ROOT / name).read_bytes())
    return digest.digest()


def _keep(place: Path, result: Result) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with appears_when_complete(place) as partial:
        partial.write_text(json.dumps(asdict(result)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
