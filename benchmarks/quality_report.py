"""The tables of QUALITY.md from single results."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Result:
    """What one training came to."""

    name: str
    group: str
    recipe: str
    seed: int
    images: int
    auroc: float
    average_precision: float
    anomalies: int
    found: int  # anomalies among as many of the highest scores
    cpu_seconds: float  # of the training
    commit: str | None = None  # that measured it, "-dirty" behind it if files were changed; None: not recorded
    code: str | None = None  # digest of the files that train and score

    @property
    def task(self) -> tuple[str, str, int]:
        """What was measured: set, recipe and seed."""
        return self.name, self.recipe, self.seed


Figure = Callable[[Result], float]

_HEAD = """\
Written by `make bench-quality` (`benchmarks/quality.py`); single results in `quality.json`. Defaults only, the same
for every set: mean and standard deviation over the seeds measured (at most {seeds}). *Tutorial*: the design that
adscore grew from (`--recipe tutorial`), one seed, pictures of parts shrunk to 64x64.
"""

_FOOT = """\
Where the demo set has anomalies, they are looked for among the training images; everything else is tested on images
that training never saw. `elpv`: two thirds of the sound solar cells (defect probability 0) train; the others are told
from defective ones (probability above a half). *Varied light*: every picture, in training and in test, multiplied by
light of its own: a gradient from 0.4 to 1 in some direction, a vignette of up to a half, an exposure of 0.6 to 1.
"""


def report(results: Sequence[Result]) -> str:
    """Returns the text of QUALITY.md."""
    seeds = sorted({result.seed for result in results if result.recipe == "auto"})
    parts = [
        "# Detection quality\n",
        _HEAD.format(seeds=len(seeds)),
        *_mixed(results),
        _table("The demo set: ones polluted with threes", results, ("demo",), polluted=True),
        _table("Parts and materials: image AUROC", results, ("paper", "varied light", "screws", "elpv")),
        _table("One class as normal against the other nine: image AUROC", results, ("MNIST", "Fashion-MNIST")),
        _FOOT,
    ]
    return "\n".join(parts)


def _mixed(results: Sequence[Result]) -> list[str]:
    """Returns what to say of results that are not all of the same code."""
    codes = {result.code for result in results}
    if len(codes) == 1 and None not in codes:
        return []
    numbers = Counter(_commit(result) for result in results)
    return [
        "**The rows are of different code.** Trainings by commit: "
        + ", ".join(f"{name} {number}" for name, number in numbers.items())
        + ". The column *commit* says which; only rows of one commit can be compared to the last digit.\n"
    ]


def _commit(result: Result) -> str:
    return result.commit or "not recorded"


def _table(title: str, results: Sequence[Result], groups: tuple[str, ...], *, polluted: bool = False) -> str:
    chosen = [result for result in results if result.group in groups]
    if not chosen:
        return f"## {title}\n\nNot measured: the sets were not there.\n"
    figures: dict[str, Figure] = {"AUROC": lambda result: result.auroc}
    if polluted:
        figures["average precision"] = lambda result: result.average_precision
        figures["found among the top n"] = lambda result: result.found
    head = ["set", "seeds", *figures, *(f"tutorial: {name}" for name in figures), "commit"]
    lines = [f"## {title}\n", _row(head), _row(["---"] * len(head))]
    names = list(dict.fromkeys(result.name for result in chosen))
    rows = [(name, [result for result in chosen if result.name == name]) for name in names]
    for group in groups:
        members = [result for result in chosen if result.group == group]
        if len({result.name for result in members}) > 1 and not polluted:
            rows.append((f"**{group}, mean**", _means(members)))
    for name, of_set in rows:
        ours = [result for result in of_set if result.recipe == "auto"]
        tutorial = [result for result in of_set if result.recipe == "tutorial"]
        cells = [name, str(len(ours))]
        for part in (ours, tutorial):
            cells += [_cell([figure(result) for result in part]) for figure in figures.values()]
        cells.append(", ".join(dict.fromkeys(_commit(result) for result in of_set)))
        lines.append(_row(cells))
    if polluted:
        lines.append("\nn: " + ", ".join(f"{name}: {of_set[0].anomalies}" for name, of_set in rows) + ".")
    return "\n".join(lines) + "\n"


def _means(members: Sequence[Result]) -> list[Result]:
    """Returns one result a recipe and seed: the mean over the sets; only where every set was measured."""
    names = {result.name for result in members}
    means = []
    for recipe, seed in dict.fromkeys((result.recipe, result.seed) for result in members):
        part = [result for result in members if (result.recipe, result.seed) == (recipe, seed)]
        if {result.name for result in part} == names:
            auroc = float(np.mean([result.auroc for result in part]))
            commits = ", ".join(dict.fromkeys(_commit(result) for result in part))
            means.append(Result("", "", recipe, seed, 0, auroc, 0.0, 0, 0, 0.0, commits))
    return means


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ""
    mean = f"{np.mean(values):.4g}" if max(values) > 1 else f"{np.mean(values):.4f}"
    return mean if len(values) == 1 else f"{mean} ± {np.std(values, ddof=1):.4f}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
