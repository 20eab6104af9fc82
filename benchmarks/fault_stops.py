"""The checks of `make test-faults` for what is stopped: runs and watches, killed at random moments and gone on with."""

import csv
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from threading import Thread

from adscore.workplace import is_leftover
from benchmarks.fault_runs import MOST_SECONDS, run_command
from benchmarks.fault_setting import DEMO_IMAGES, DETECTOR, SEED, Finding, Setting

_PIECES = 3
_PAUSE = 0.008  # seconds between the pieces of a file
# A file in pieces that rests for ten times as long, as if the machine stalled, is a row with an error.
_SETTLE = 0.5
_FILES_A_STOP = 50
_FILES_AN_OVERWRITING = 10


def killed_runs(setting: Setting) -> Finding:
    """Tables made by runs that are killed and resumed until they are done, one table after the other."""
    images = setting.folder / "images"
    images.mkdir()
    for name, content in _pictures(setting.files):
        (images / name).write_bytes(content)
    whole, table, kept = (setting.folder / name for name in ("whole.csv", "r.csv", ".r.csv.scores"))
    command: list[str | Path] = ["adscore", images, "--model", DETECTOR, "--batch-size", "4", "--out"]
    begun = time.monotonic()
    run_command([*command, whole], setting.folder)
    longest = time.monotonic() - begun
    chance = random.Random(SEED)  # noqa: S311 - repeatable, as far as moments can be
    counts: Counter[str] = Counter()
    while counts["kills"] < setting.kills or not counts["tables"]:
        moment = chance.uniform(0, longest) if counts["kills"] < setting.kills else MOST_SECONDS
        killed = _stop([*command, table, "--resume"], moment, signal.SIGKILL) == -signal.SIGKILL
        counts["kills"] += killed
        counts["kills that left scores"] += killed and kept.exists() and kept.read_bytes().count(b"\n") > 1
        if table.exists():
            counts["tables"] += 1
            counts["tables that differ"] += table.read_bytes() != whole.read_bytes()
            _compare(Counter(_names(table)), Counter(_names(whole)), counts)
            table.unlink()
    left = {path.name for path in setting.folder.iterdir() if not is_leftover(path)}
    left -= {"images", "whole.csv", ".r.csv.scores"}
    held = not (left or counts["tables that differ"] or counts["rows lost"] or counts["rows doubled"])
    promise = "runs ended by kill -9 at random and resumed each time: the table of an undisturbed run, byte for byte"
    figures = ("kills", "kills that left scores", "tables", "tables that differ", "rows lost", "rows doubled")
    return Finding(promise, held, {"images": setting.files, **{name: counts[name] for name in figures}})


def stopped_watches(setting: Setting) -> Finding:
    """A watch that is killed or asked to end, and started again, while images come slowly, in pieces, some anew."""
    images, replaced, table = (setting.folder / name for name in ("incoming", "replaced", "r.csv"))
    images.mkdir()
    replaced.mkdir()
    count = _FILES_A_STOP * setting.stops
    writer = Thread(target=_write_slowly, args=(images, replaced, table, count), daemon=True)
    writer.start()
    command: list[str | Path] = [
        "adscore",
        "--watch",
        images,
        "--model",
        DETECTOR,
        "--out",
        table,
        "--settle",
        str(_SETTLE),
    ]
    chance = random.Random(SEED)  # noqa: S311 - as above
    # The moments are spread over the time that the writer takes.
    longest = 2 * count * _PIECES * _PAUSE / setting.stops
    counts: Counter[str] = Counter()
    while counts["stops"] < setting.stops:
        number = chance.choice((signal.SIGKILL, signal.SIGTERM))
        code = _stop(command, chance.uniform(0, longest), number)
        # Before Python runs, SIGTERM ends the process as kill -9 does.
        counts["ended otherwise"] += code not in ((-number,) if number == signal.SIGKILL else (-number, 128 + number))
        counts["stops"] += 1
    with subprocess.Popen(_real(command), stderr=subprocess.DEVNULL) as last:  # noqa: S603 - our own command
        writer.join()
        names = Counter(path.name for folder in (images, replaced) for path in folder.iterdir())
        deadline = time.monotonic() + MOST_SECONDS
        while sum(1 for _ in _names(table)) < names.total() and time.monotonic() < deadline and last.poll() is None:
            time.sleep(0.05)
        last.send_signal(signal.SIGTERM)
        counts["ended otherwise"] += last.wait() != 128 + signal.SIGTERM
    _compare(Counter(_names(table)), names, counts)
    counts["written over"] = sum(1 for _ in replaced.iterdir())
    rows: set[bytes] = set()
    for folder in (images, replaced):
        run_command(["adscore", folder, "--model", DETECTOR, "--out", "whole.csv"], setting.folder)
        rows.update((setting.folder / "whole.csv").read_bytes().splitlines())
    counts["rows that differ"] = len(set(table.read_bytes().splitlines()) ^ rows)
    figures = ("stops", "ended otherwise", "rows lost", "rows doubled", "rows that differ")
    promise = (
        "a watch stopped by kill -9 and SIGTERM while images come in pieces, and some are written over: one row for "
        "each version, the right one"
    )
    held = bool(counts["written over"]) and not any(counts[name] for name in figures[1:])
    amounts: dict[str, int | float | str] = {"images": count, "written over": counts["written over"]}
    return Finding(promise, held, amounts | {name: counts[name] for name in figures})


def _stop(command: Sequence[str | Path], moment: float, number: signal.Signals) -> int:
    """Runs a command, sends it a signal after so many seconds unless it has ended, and returns its exit code."""
    with subprocess.Popen(_real(command), stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own commands
        try:
            return process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            return process.wait(MOST_SECONDS)


def _real(command: Sequence[str | Path]) -> list[str | Path]:
    return [Path(sys.executable).with_name(str(command[0])), *command[1:]]


def _compare(found: Counter[str], expected: Counter[str], counts: Counter[str]) -> None:
    counts["rows lost"] += (expected - found).total()
    counts["rows doubled"] += (found - expected).total()


def _names(table: Path) -> Iterator[str]:
    if not table.exists():
        return
    with table.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        yield from (row["path"] for row in csv.DictReader(file))


def _pictures(count: int) -> Iterator[tuple[str, bytes]]:
    contents = cycle([path.read_bytes() for path in sorted(DEMO_IMAGES.glob("*.png"))])
    return ((f"{index:05}.png", content) for index, content in enumerate(islice(contents, count)))


def _write_slowly(folder: Path, replaced: Path, table: Path, count: int) -> None:
    """Writes pictures, and now and then another over the oldest that has a row; what it was goes to `replaced`."""
    pictures = list(_pictures(count))
    oldest = 0
    for index, (name, content) in enumerate(pictures):
        _write_in_pieces(folder / name, content)
        over, before = pictures[oldest]
        if index % _FILES_AN_OVERWRITING == 0 and over in set(_names(table)):
            (replaced / over).write_bytes(before)
            _write_in_pieces(folder / over, pictures[(oldest + 1) % count][1])
            oldest += 1


def _write_in_pieces(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        for place in range(_PIECES):
            file.write(content[len(content) * place // _PIECES : len(content) * (place + 1) // _PIECES])
            file.flush()
            time.sleep(_PAUSE)
