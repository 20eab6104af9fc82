"""What the command says of what was asked for: what it passes over, lists of any encoding, and arguments of nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.tiny import paint
from tests.waiting import wait_for
from tests.watching import Watching

pytestmark = pytest.mark.usefixtures("detector_file")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    paint(tmp_path / "images" / "a.png", 102)
    for name in ("._a.png", ".DS_Store", "b.heic", "c.txt"):
        (tmp_path / "images" / name).write_bytes(b"\0\5\x16\7")
    return tmp_path / "images"


def rows(text: str) -> list[str]:
    return [line.partition(",")[0] for line in text.splitlines()[1:]]


@pytest.mark.usefixtures("images")
def test_what_was_passed_over_is_said_before_the_summary(run: Run) -> None:
    done = run("adscore", "images")
    assert (done.returncode, rows(done.stdout)) == (0, ["a.png"])
    assert done.stderr.splitlines()[1:3] == [
        "passed over, hidden or of the system: 2 (--hidden takes them)",
        "passed over, pictures of kinds that are not read: 1 .heic (convert them, to PNG say)",
    ]
    done = run("adscore", "images", "--hidden")
    assert (done.returncode, rows(done.stdout)) == (3, ["._a.png", "a.png"])
    assert "hidden" not in done.stderr


def test_a_table_among_its_images_says_nothing_of_its_own_files(run: Run, images: Path) -> None:
    for name in ("._a.png", ".DS_Store", "b.heic"):
        (images / name).unlink()
    done = run("adscore", "images", "--out", "images/results.csv")
    assert len(done.stderr.splitlines()) == 2


def test_an_empty_folder_ends_no_run(run: Run, images: Path) -> None:
    (images.parent / "none").mkdir()
    done = run("adscore", "none", "images/a.png", "images")
    assert (done.returncode, rows(done.stdout)) == (0, ["images/a.png", "images/a.png"])
    assert done.stderr.splitlines()[1] == "none: no images in this folder; the others are scored"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_lists_as_windows_writes_them(images: Path, encoding: str) -> None:
    listed = "images/a.png\r\n\r\nimages/a.png\r\n".encode(encoding)
    done = subprocess.run(
        [Path(sys.executable).with_name("adscore"), "-"],
        cwd=images.parent, input=listed, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, rows(done.stdout.decode())) == (0, ["images/a.png", "images/a.png"])


@pytest.mark.parametrize("hidden", [False, True])
def test_a_watch_takes_hidden_files_if_asked(tmp_path: Path, hidden: bool) -> None:
    for name in (".a.png", "lost+found/b.png", "c.png"):
        paint(tmp_path / "images" / name, 0)
    watching = Watching(tmp_path, *(["--hidden"] if hidden else []))
    try:
        watching.wait_for(*([".a.png", "lost+found/b.png", "c.png"] if hidden else ["c.png"]))
    finally:
        watching.stop()


def test_a_watch_tells_of_each_kind_that_it_does_not_read_once(tmp_path: Path) -> None:
    watching = Watching(tmp_path)
    try:
        for number, name in enumerate(("a.heic", ".b.heic", "c.heic", "d.raw")):
            (tmp_path / "images" / name).write_bytes(b"\0")
            paint(tmp_path / "images" / f"{number}.png", 0)
            wait_for(lambda: watching.has(f"{number}.png"))  # noqa: B023 - called at once
    finally:
        watching.stop()
    assert [line for line in watching.said.read_text().splitlines() if "passed over" in line] == [
        "passed over, pictures of kinds that are not read: 1 .heic (convert them, to PNG say)",
        "passed over, pictures of kinds that are not read: 2 .heic, 1 .raw (convert them, to PNG say)",
    ]


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (["adscore", ""], "the argument after the command"),
        (["adscore", "images", ""], "the argument after images"),
        (["adscore", "images", "--model", ""], "the argument after --model"),
        (["adscore", "images", "--out="], "--out"),
        (["adscore", "--watch", "images", "--out", "r.csv", "--on-anomaly", ""], "the argument after --on-anomaly"),
        (["adtrain", "fit", ""], "the argument after fit"),
        (["adtrain", "export", "run", "--out="], "--out"),
    ],
)
@pytest.mark.usefixtures("images")
def test_an_empty_argument_is_not_the_current_folder(run: Run, tmp_path: Path, command: list[str], what: str) -> None:
    before = sorted(path.name for path in tmp_path.rglob("*"))
    done = run(*command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {what} is empty; give it a value, . for the current folder\n"
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
