"""The tables of `make bench`, from what every contestant took in every round."""

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

CPUS = len(os.sched_getaffinity(0))

TITLES = {
    "plain_loop": "plain loop, one image at a time (baseline)",
    "in_batches": "batches of 32, one thread that decodes",
    "two_threads": "two threads that decode and score",
    "keras_predict": "Keras `predict`",
    "openvino": "OpenVINO, batches of 32",
    "litert": "LiteRT, batches of 32",
    "adscore": "**adscore**",
    "adscore --workers 1": "adscore --workers 1",
}


@dataclass(frozen=True)
class Turn:
    """What one process took."""

    part: str
    name: str
    number: int  # of the round
    wall: float  # seconds, start-up included
    cpu: float  # seconds, start-up included
    loop_wall: float  # seconds without start-up
    loop_cpu: float  # seconds without start-up
    memory: float  # megabytes of its largest process at its peak


def report(turns: Sequence[Turn], facts: dict[str, str], pngs: int, jpegs: int) -> str:
    """Returns RESULTS.md."""
    tools = ", ".join(f"{tool} {version(tool)}" for tool in ("adscore", "onnxruntime", "pillow"))
    return (
        "\n".join(
            [
                "# Scoring benchmark",
                "",
                "Written by `make bench` (`benchmarks/scoring.py`). Contestants take turns, each a process of its own;",
                "every figure is the median of ratios within one round, with the lowest and the highest in brackets.",
                f"{tools}, Python {platform.python_version()}, {CPUS} CPUs of a shared machine.",
                "",
                f"## {pngs:,} PNG of 28x28",
                "",
                *_race([turn for turn in turns if turn.part == "png"]),
                "",
                f"Rows: {facts['rows']}.",
                "",
                f"## {jpegs:,} JPEG of 12 megapixels, a detector of 128x128",
                "",
                *_race([turn for turn in turns if turn.part == "jpeg"]),
                "",
                f"Scores: {facts['jpeg scores']}. The limit is that of the reduced decoding that the detector names.",
                "",
                "## One image, cold",
                "",
                "`adscore` on one image, start to end, over importing numpy, onnxruntime and Pillow and opening the",
                f"session: {_cold(turns)}.",
                "",
                "## Memory",
                "",
                *_memory(turns),
            ]
        )
        + "\n"
    )


def _race(turns: Sequence[Turn]) -> list[str]:
    by_name: dict[str, list[Turn]] = {}
    for turn in turns:
        by_name.setdefault(turn.name, []).append(turn)
    limits = [
        (decoding.loop_cpu + network.loop_cpu) / CPUS
        for decoding, network in zip(by_name["decoding"], by_name["network"], strict=True)
    ]
    base = by_name["plain_loop"]

    def ratios(own: Sequence[Turn], value: Callable[[Turn], float]) -> str:
        return _spread([value(plain) / value(turn) for plain, turn in zip(base, own, strict=True)])

    lines = [
        "Times faster than the baseline: whole process; after start-up; CPU time of the whole process. After start-up",
        "is, for adscore, what the files beyond the first tenth take, for others what the loop over all files takes.",
        f"Limit: the CPU time of decoding and of the network, each alone on one thread, shared by {CPUS} CPUs without",
        "any loss.",
        "",
        "| contestant | whole | after start-up | CPU time | of the limit, after start-up |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, title in TITLES.items():
        if name in by_name:
            own = by_name[name]
            share = _spread([limit / turn.loop_wall for limit, turn in zip(limits, own, strict=True)])
            columns = [ratios(own, lambda turn: turn.wall), ratios(own, lambda turn: turn.loop_wall)]
            lines.append(f"| {title} | {' | '.join(columns)} | {ratios(own, lambda turn: turn.cpu)} | {share} |")
    return lines


def _cold(turns: Sequence[Turn]) -> str:
    libraries, own = (
        [turn for turn in turns if turn.part == "cold" and turn.name == name] for name in ("libraries", "adscore")
    )
    walls = [turn.wall / base.wall for base, turn in zip(libraries, own, strict=True)]
    cpus = [turn.cpu / base.cpu for base, turn in zip(libraries, own, strict=True)]
    return f"{_spread(walls)} times its wall time, {_spread(cpus)} times its CPU time"


def _memory(turns: Sequence[Turn]) -> list[str]:
    found: dict[str, dict[str, float]] = {}
    for turn in turns:
        if turn.part == "memory":
            way, _, count = turn.name.partition(": ")
            found.setdefault(way, {})[count] = turn.memory
    counts = list(next(iter(found.values())))
    rows = [["peak, MB", *(f"{int(count):,} files" for count in counts)], ["---"] * (len(counts) + 1)]
    rows += [[f"`{way}`", *(f"{row[count]:.0f}" for count in counts)] for way, row in found.items()]
    return [f"| {' | '.join(row)} |" for row in rows]


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
