"""What a watch cannot read: images, and for a while folders that were removed, have no rights or are unmounted."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.spaces import MOUNTS, apart, without_rights
from tests.tiny import paint
from tests.waiting import wait_for
from tests.watching import ADSCORE, Watching

pytestmark = pytest.mark.usefixtures("detector_file")

GOES_ON = "; the watch goes on, and looks again"


def lines(said: Path) -> list[str]:
    """What was said after the beginning."""
    return said.read_text().partition("until Ctrl-C or SIGTERM\n")[2].splitlines()


def closed(path: Path) -> Callable[[], object]:
    """Takes the rights to a folder away, and returns what gives them back."""
    path.chmod(0)
    return lambda: path.chmod(0o755)


def removed(path: Path) -> Callable[[], object]:
    path.rename(path.with_name("elsewhere"))
    return lambda: shutil.move(path.with_name("elsewhere"), path)


@pytest.mark.parametrize(
    ("take", "folder", "cause"),
    [
        (closed, "images", "Permission denied"),
        (closed, "images/lot", "Permission denied"),
        (removed, "images", "No such file or directory"),
    ],
)
def test_an_outage_is_said_when_it_begins_and_ends_and_has_one_row(
    tmp_path: Path, take: Callable[[Path], Callable[[], object]], folder: str, cause: str
) -> None:
    through = without_rights("dac_override", "dac_read_search") if take is closed else []
    paint(tmp_path / "images" / "lot" / "a.png", 0)
    watching = Watching(tmp_path, through=through)
    watching.wait_for("lot/a.png")
    row = folder.removeprefix("images/")
    for time in (1, 2):
        give_back = take(tmp_path / folder)
        wait_for(lambda: watching.names().count(row) == time)  # noqa: B023 - within the loop
        give_back()
        paint(tmp_path / "images" / "lot" / f"{time}.png", 0)
        wait_for(lambda: watching.has(f"lot/{time}.png"))  # noqa: B023 - as above
    assert watching.stop() == 143
    assert lines(watching.said) == [
        *[f"{folder}: cannot be read ({cause}){GOES_ON}", f"{folder}: can be read again"] * 2,
        "5 images, 0 anomalies, 2 unreadable, on cpu: results.csv",
    ]
    assert watching.table.read_text().splitlines().count(f"{row},,0.495000005,,,{cause}") == 2
    paint(tmp_path / "images" / "b.png", 0)
    watching = Watching(tmp_path)
    wait_for(lambda: watching.has("b.png"))
    watching.stop()
    assert len(watching.names()) == 6


@pytest.mark.parametrize("mounted", ["images", pytest.param("images/lot", marks=pytest.mark.slow)])
def test_an_unmounted_folder_is_no_empty_one(tmp_path: Path, mounted: str) -> None:
    paint(tmp_path / "a.png", 0)
    (tmp_path / "images" / "lot").mkdir(parents=True)
    os.mkfifo(tmp_path / "next")
    name = f"{mounted}/a.png".removeprefix("images/")
    script = f"""
        mount -t tmpfs none {mounted} || exit 77
        cp a.png {mounted}/
        {ADSCORE} --watch images --out results.csv --settle 0.05 2> said &
        read _ < next; umount -l {mounted}
        read _ < next; mount -t tmpfs none {mounted}; cp -p a.png {mounted}/b.png
        read _ < next; kill $!; wait $!
    """
    command = [*apart(*MOUNTS), "sh", "-c", script]
    table, said = tmp_path / "results.csv", tmp_path / "said"

    def rows() -> list[str]:
        return [line.split(",")[0] for line in table.read_text().splitlines()[1:]] if table.exists() else []

    def go_on() -> None:
        with (tmp_path / "next").open("w") as gate:
            gate.write("\n")

    process = subprocess.Popen(command, cwd=tmp_path)
    try:
        wait_for(lambda: process.poll() is not None or name in rows())
        if process.poll() == 77:
            pytest.skip("no rights to mount anything")
        go_on()
        wait_for(lambda: len(rows()) == 2)
        go_on()
        wait_for(lambda: len(rows()) == 3)
        wait_for(lambda: len(lines(said)) == 2)
        go_on()
        assert process.wait(60) == 143
    finally:
        process.kill()
        process.wait()
    assert rows() == [name, mounted.removeprefix("images/"), name.replace("a.png", "b.png")]
    assert lines(said) == [
        f"{mounted}: cannot be read (nothing is mounted there any more){GOES_ON}",
        f"{mounted}: can be read again",
        "3 images, 0 anomalies, 1 unreadable, on cpu: results.csv",
    ]


def test_what_stays_unreadable_becomes_a_row(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "broken.png").write_bytes(b"no image")
    (tmp_path / "images" / "loop.png").symlink_to("loop.png")
    os.mkfifo(tmp_path / "images" / "pipe.png")
    (tmp_path / "images" / "to-come.png").symlink_to("nowhere")
    watching = Watching(tmp_path)
    watching.wait_for("broken.png", "loop.png", "pipe.png")
    errors = {row.split(",", 5)[5] for row in watching.table.read_text().splitlines()[1:]}
    assert {"Too many levels of symbolic links", "not a regular file"} < errors
    watching.stop()
    assert "3 images, 0 anomalies, 3 unreadable" in watching.said.read_text()
    watching = Watching(tmp_path)
    paint(tmp_path / "came.png", 0).rename(tmp_path / "images" / "nowhere")
    watching.wait_for("broken.png", "loop.png", "pipe.png", "to-come.png")
    watching.stop()
