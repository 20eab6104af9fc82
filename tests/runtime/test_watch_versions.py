"""An image that is written over while its folder is watched: each version has a row of its own, and only one."""

import os
import signal
from pathlib import Path

import pytest

from tests.tiny import paint
from tests.watching import Watching

pytestmark = pytest.mark.usefixtures("detector_file")


def scores(watching: Watching) -> list[str]:
    return [line.split(",")[1] for line in watching.table.read_text().splitlines()[1:]]


def test_a_counter_that_begins_again_writes_new_images(tmp_path: Path) -> None:
    image = paint(tmp_path / "images" / "0001.png", 0)
    watching = Watching(tmp_path)
    watching.wait_for("0001.png")
    paint(image, 255)
    watching.wait_for("0001.png", "0001.png")
    assert watching.stop(signal.SIGKILL) == -signal.SIGKILL
    watching = Watching(tmp_path)
    paint(tmp_path / "images" / "0002.png", 102)  # by its row it is sure that the first was looked at again
    watching.wait_for("0001.png", "0001.png", "0002.png")
    watching.stop()
    paint(image, 102)
    watching = Watching(tmp_path)
    watching.wait_for("0001.png", "0001.png", "0002.png", "0001.png")
    watching.stop()
    assert scores(watching) == ["0", "1", "0.160000011", "0.160000011"]


def test_a_version_is_a_size_and_a_time(tmp_path: Path) -> None:
    image = paint(tmp_path / "images" / "a.png", 0)
    watching = Watching(tmp_path)
    watching.wait_for("a.png")
    status = image.stat()
    # A copy with the time of its original is the same, under whatever inode.
    copy = tmp_path / "images" / "copy"
    copy.write_bytes(image.read_bytes())
    os.utime(copy, ns=(0, status.st_mtime_ns))
    copy.replace(image)
    paint(tmp_path / "images" / "b.png", 0)
    watching.wait_for("a.png", "b.png")
    os.utime(image, ns=(0, status.st_mtime_ns + 1))
    watching.wait_for("a.png", "b.png", "a.png")
    watching.stop()


def test_a_table_without_its_notes_is_gone_on_with_if_that_is_said(tmp_path: Path) -> None:
    paint(tmp_path / "images" / "a.png", 0)
    watching = Watching(tmp_path)
    watching.wait_for("a.png")
    watching.stop()
    (tmp_path / ".results.csv.watch").unlink()
    paint(tmp_path / "images" / "b.png", 0)
    watching = Watching(tmp_path, "--resume")
    watching.wait_for("a.png", "b.png")
    watching.stop()
    assert "results.csv: rows without a note of their image: 1;" in watching.said.read_text()
