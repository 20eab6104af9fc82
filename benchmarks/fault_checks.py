"""The checks of `make test-faults`, each by name: what was given, what had to come of it, and what did."""

import csv
import os
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from adtrain.arrays import load_demo
from benchmarks.fault_inputs import mutated, sound_pictures, write_mutated
from benchmarks.fault_runs import Ended, run_command
from benchmarks.fault_setting import DEMO_IMAGES, DETECTOR, SEED, Finding, Setting
from benchmarks.fault_stops import killed_runs, stopped_watches

NOBODY = 65534

# What a damaged detector may come to.
_ENDS = ("refused in one line", "same score", "another score", "no number, an error row", "crashes", "hangs", "other")

_REMARK = re.compile(r"\d+ images (are unlike those the detector was trained on|are brighter than) ")

# The command, once for its modules, which another user may not be able to read, and once more as nobody.
_AS_NOBODY = f"""
import os, sys
from contextlib import suppress
from adscore.cli import app, main
import adscore.reasons, adscore.workers  # which only faults, and only slow machines, take
allowed, theirs, model = sys.argv[1:]
sys.argv = ["adscore", allowed, "--model", model, "--out", "allowed.csv"]
with suppress(SystemExit):
    app()
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
sys.argv = ["adscore", theirs, "--model", model]
main()
"""


def pngsuite(setting: Setting) -> Finding:
    """Every file of PngSuite, the broken ones among them."""
    promise = "PngSuite: the 14 broken files (x*) are rows with an error, all others are scored"
    if setting.pngsuite is None:
        return Finding(promise, None, {"why": "PngSuite is not there"})
    ended, rows = _score(setting.folder / "pngsuite", setting.pngsuite)
    failed = {row["path"] for row in rows if row["error"]}
    broken = {path.name for path in setting.pngsuite.glob("x*.png")}
    inputs = len(list(setting.pngsuite.glob("*.png")))
    held = _sound(ended) and len(rows) == inputs and failed == broken
    return Finding(promise, held, {"images": inputs, "rows": len(rows), "errors": len(failed)} | _end(ended))


def damaged_images(setting: Setting) -> Finding:
    """Thousands of pictures, each damaged in another way."""
    given = setting.folder / "damaged" / "images"
    write_mutated(given, sound_pictures(setting.pictures), setting.images, SEED)
    ended, rows = _score(given.parent, given)
    failed = sum(bool(row["error"]) for row in rows)
    finite = all(np.isfinite(float(row["score"])) for row in rows if not row["error"])
    found = {given / row["path"] for row in rows} == set(given.iterdir())
    held = _sound(ended) and len(rows) == setting.images and finite and found and not _noise(ended)
    figures: dict[str, int | float | str] = {"images": setting.images, "rows": len(rows), "errors": failed}
    return Finding(
        "damaged images: one row each under its own name, nothing but our lines on stderr", held, figures | _end(ended)
    )


def damaged_detectors(setting: Setting) -> Finding:
    """Hundreds of detector files, each damaged in another way and opened by a command of its own."""
    folder = setting.folder / "detectors"
    folder.mkdir()
    chance = random.Random(SEED)  # noqa: S311 - repeatable, which is the point
    image = DEMO_IMAGES / "normal-1.png"
    (folder / "sound.onnx").write_bytes(DETECTOR.read_bytes())
    sound = run_command(["adscore", image, "--model", "sound.onnx"], folder)
    counts = dict.fromkeys(("files", *_ENDS), 0)
    largest = 0.0
    for content in mutated([DETECTOR.read_bytes()], setting.detectors, chance):
        (folder / "damaged.onnx").write_bytes(content)
        ended = run_command(["adscore", image, "--model", "damaged.onnx"], folder)
        largest = max(largest, ended.megabytes)
        counts["files"] += 1
        counts[_kind(ended, sound)] += 1
    held = counts["crashes"] == counts["hangs"] == counts["other"] == 0
    promise = "damaged detectors: exit 1 with one line and no row, a score that is a number, or an error row"
    return Finding(promise, held, {**counts, "largest process, MB": round(largest)})


def full_disk(setting: Setting) -> Finding:
    """A disk that is full before the table, the detector or the run is written."""
    promise = "a full disk: exit 1 with one line, what was there stays, scores are kept, and with room --resume goes on"
    folder = setting.folder / "full"
    parts = _write_parts(folder / "parts")
    small = ["--filters", "4,8", "--latent", "4", "--epochs", "1", "--views", "1"]
    run_command(["adtrain", "fit", parts, "--out", folder / "run", *small], folder)
    if (refusal := _cannot_mount(folder)) is not None:
        return Finding(promise, None, {"why": refusal})
    score: list[str | Path] = ["adscore", *[parts] * 9, "--model", DETECTOR, "--out"]
    run_command([*score, folder / "whole.csv"], folder)
    commands: dict[str, list[str | Path]] = {
        "table": [*score, "disk/r.csv"],
        "detector": ["adtrain", "export", folder / "run", "--out", "disk/detector.onnx"],
        "run": ["adtrain", "fit", parts, "--out", "disk/run", "--size", "256x256", "--tile", "0", *small],
    }
    figures: dict[str, int | float | str] = {}
    for name, command in commands.items():
        with _disk(folder / "disk", kilobytes=64) as disk:
            (disk / "old").write_bytes(b"x" * 61_000)
            ended = run_command(command, folder)
            kept = {path.name for path in disk.iterdir()} == {"old"} | ({".r.csv.scores"} if name == "table" else set())
            if name == "table":
                (disk / "old").unlink()
                run_command([*command, "--resume"], folder)
                kept = kept and (disk / "r.csv").read_bytes() == (folder / "whole.csv").read_bytes()
        figures[name] = "held" if ended.one_error_line and kept else f"exit {ended.code}: {ended.stderr[-200:]}"
    return Finding(promise, set(figures.values()) == {"held"}, figures)


def other_user(setting: Setting) -> Finding:
    """A user without rights, and files and folders that are not his."""
    promise = "an unprivileged user: a file and a folder without permission are rows with that error"
    if os.geteuid() != 0:
        return Finding(promise, None, {"why": "takes root to become somebody else"})
    folder = setting.folder / "others"
    parts = _write_parts(folder / "parts")
    model = folder / "detector.onnx"
    model.write_bytes(DETECTOR.read_bytes())
    (parts / "000.png").chmod(0)
    (parts / "locked").mkdir(mode=0)
    setting.folder.chmod(0o755)
    closed = [str(above) for above in parts.parents if not above.stat().st_mode & 0o001]
    if closed:
        return Finding(promise, None, {"why": f"{closed[-1]} is closed to others"})
    ended = run_command(["python", "-c", _AS_NOBODY, DEMO_IMAGES, parts, model], folder)
    rows = list(csv.DictReader(ended.stdout.decode().splitlines()))
    denied = sorted(row["path"] for row in rows if row["error"] == "Permission denied")
    held = ended.code == 3 and not ended.crashed and denied == ["000.png", "locked"] and len(rows) == 41
    return Finding(promise, held, {"rows": len(rows), "permission denied": len(denied)} | _end(ended))


CHECKS: dict[str, Callable[[Setting], Finding]] = {
    "pngsuite": pngsuite,
    "damaged-images": damaged_images,
    "damaged-detectors": damaged_detectors,
    "full-disk": full_disk,
    "other-user": other_user,
    "killed-runs": killed_runs,
    "stopped-watches": stopped_watches,
}


def _kind(ended: Ended, sound: Ended) -> str:
    """Returns what a damaged detector came to, beside the sound one on the same image."""
    if ended.crashed or ended.hung:
        return "hangs" if ended.hung else "crashes"
    if ended.one_error_line and not ended.stdout:
        return "refused in one line"
    (row,) = list(csv.DictReader(ended.stdout.decode().splitlines())) or [{}]
    if ended.code == 3 and row.get("error", "").endswith("which is no number"):
        return "no number, an error row"
    if ended.code or not np.isfinite(float(row.get("score", "nan"))):
        return "other"
    return "same score" if ended.stdout == sound.stdout else "another score"


def _score(folder: Path, given: Path) -> tuple[Ended, list[dict[str, str]]]:
    folder.mkdir(parents=True, exist_ok=True)
    ended = run_command(["adscore", given, "--model", DETECTOR, "--out", "r.csv"], folder)
    return ended, _rows(folder / "r.csv") if (folder / "r.csv").exists() else []


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


def _sound(ended: Ended) -> bool:
    return ended.code in (0, 3) and not ended.crashed and not ended.hung


def _noise(ended: Ended) -> list[str]:
    """Returns lines of stderr besides the detector's name, what pictures are like, and the summary."""
    return [line for line in ended.stderr.splitlines()[1:-1] if not _REMARK.match(line)]


def _end(ended: Ended) -> dict[str, int | float | str]:
    return {
        "exit": ended.code,
        "crashes": int(ended.crashed),
        "hangs": int(ended.hung),
        "largest process, MB": round(ended.megabytes),
    }


def _write_parts(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for index, image in enumerate(load_demo("train").images[:40]):
        Image.fromarray(image).save(folder / f"{index:03}.png")
    return folder


def _cannot_mount(folder: Path) -> str | None:
    """Returns why a disk of our own cannot be had here."""
    try:
        with _disk(folder / "trial", kilobytes=16):
            return None
    except (OSError, subprocess.CalledProcessError):
        return "takes root and the right to mount a tmpfs"


@contextmanager
def _disk(place: Path, *, kilobytes: int) -> Iterator[Path]:
    """Yields a folder that is a disk of its own, as small as asked for."""
    place.mkdir(exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
    subprocess.run(["mount", *options], check=True, capture_output=True)  # noqa: S603, S607 - a fixed command
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True, capture_output=True)  # noqa: S603, S607 - as above
