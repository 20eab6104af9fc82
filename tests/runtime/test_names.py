"""Names of every kind, through the real command and back out of both tables."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adscore.table import written_path
from tests.conftest import Run
from tests.tiny import paint

pytestmark = pytest.mark.usefixtures("detector_file")

NAMES = [
    b"comma, quote \" and 'apostrophe'.png",
    b"line\nbreak.png",
    b"carriage\rreturn.png",
    b"both\r\n.png",
    b"\nfirst.png",
    b" space .png",
    b"tab\t.png",
    b"\ttab.png",
    b"=1+1.png",
    b"+1.png",
    b"-1.png",
    b"@SUM(A1).png",
    b"bell \x07 escape \x1b[31m.png",
    b"not utf-8 \xff\xfe.png",
    b"\x80.png",
    b"cut \xf0\x9f\x98.png",
    "emoji 😀 and é and e\u0301.png".encode(),
    "half 😀".encode() + b"\x80.png",
    "line\u2028separator\x85.png".encode(),
    b"back\\slash\\u0041.png",
    b"x" * 251 + b".png",
    ("é" * 125 + "x").encode() + b".png",
]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    source = paint(folder / "a.png", 102)
    for name in NAMES:
        (folder / os.fsdecode(name)).write_bytes(source.read_bytes())
    source.unlink()
    return folder


def restored(folder: Path, paths: list[str]) -> list[bytes]:
    """Returns the names of the files that a table's paths lead to, after opening each."""
    for path in paths:
        assert (folder / path).is_file()
    return sorted(os.fsencode(Path(path)) for path in paths)


def test_csv_gives_every_name_back(run: Run, images: Path) -> None:
    assert run("adscore", "images", "--out", "r.csv").returncode == 0
    with (images.parent / "r.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    assert restored(images, [row["path"] for row in rows]) == sorted(NAMES)
    assert {row["score"] for row in rows} == {"0.160000011"}
    assert not any(row["path"].startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for row in rows)


def test_json_lines_are_utf8_and_give_every_name_back(run: Run, images: Path) -> None:
    assert run("adscore", "images", "--out", "r.jsonl").returncode == 0
    text = (images.parent / "r.jsonl").read_bytes().decode("utf-8", errors="strict")
    lines = text.splitlines()  # splits at U+2028 and U+0085 too
    assert len(lines) == len(NAMES)
    assert restored(images, [json.loads(line)["path"] for line in lines]) == sorted(NAMES)
    assert any("emoji 😀" in line for line in lines)


def test_names_listed_on_stdin(images: Path) -> None:
    listed = [name for name in NAMES if b"\n" not in name and b"\r" not in name]
    done = subprocess.run(
        [Path(sys.executable).with_name("adscore"), "-", "--out", "r.jsonl"],
        cwd=images.parent, input=b"".join(b"images/" + name + b"\n" for name in listed),
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = (images.parent / "r.jsonl").read_text(encoding="utf-8").splitlines()
    assert [os.fsencode(json.loads(line)["path"]) for line in lines] == [b"images/" + name for name in listed]


@pytest.mark.parametrize("path", ["a/=1.png", "/=1.png", ".=1.png", "1=2.png"])
def test_other_paths_stay_as_they_are(path: str) -> None:
    assert written_path(path) == path
