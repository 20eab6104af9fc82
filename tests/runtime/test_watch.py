"""A folder that is watched: real files that come while a real command runs, real signals, and what is in the table."""

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.tiny import paint
from tests.waiting import wait_for
from tests.watching import Watch, Watching

pytestmark = pytest.mark.usefixtures("detector_file")


def test_images_are_scored_as_they_come(watch: Watch, tmp_path: Path) -> None:
    paint(tmp_path / "images" / "before.png", 0)
    watching = watch()
    watching.wait_for("before.png")
    paint(tmp_path / "images" / "lot" / "=1.png", 255)
    paint(tmp_path / "images" / "=1.png", 102)
    watching.wait_for("before.png", "./=1.png", "lot/=1.png")
    assert watching.stop() == 143
    assert sorted(watching.table.read_text().splitlines(keepends=True)[1:]) == [
        "./=1.png,0.160000011,0.495000005,false,0.68,\n",
        "before.png,0,0.495000005,false,1,\n",
        "lot/=1.png,1,0.495000005,true,0.01,\n",
    ]
    assert watching.said.read_text().splitlines() == [
        "detector: detector.onnx",
        "watching images until Ctrl-C or SIGTERM",
        "3 images, 1 anomalies, 0 unreadable, on cpu: results.csv",
    ]
    assert {path.name for path in tmp_path.iterdir()} == {
        "images", "detector.onnx", "said", "results.csv", ".results.csv.watch",
    }  # fmt: skip


@pytest.mark.parametrize("out", ["results.csv", "results.jsonl"])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_no_row_is_lost_or_doubled_by_a_stop(
    watch: Watch, tmp_path: Path, out: str, number: signal.Signals, code: int
) -> None:
    names = ["a.png", "new\nline.png", os.fsdecode(b"\xff.png"), 'quo"te.png', "=1.png"]
    written = [name if name[0] != "=" else f"./{name}" for name in names]
    for name in names[:3]:
        paint(tmp_path / "images" / name, 9)
    first = watch(out=out)
    first.wait_for(*written[:3])
    assert first.stop(number) == code, first.said.read_text()
    for name in names[3:]:
        paint(tmp_path / "images" / name, 9)
    second = watch(out=out)
    second.wait_for(*written)
    assert second.stop() == 143
    third = watch(out=out)
    paint(tmp_path / "images" / "last.png", 9)
    third.wait_for(*written, "last.png")


def test_folders_that_are_all_linked_to_each_other_are_watched(watch: Watch, tmp_path: Path) -> None:
    for folder in range(10, 30):
        (tmp_path / "images" / str(folder)).mkdir(parents=True)
        for other in range(10, 30):
            (tmp_path / "images" / str(folder) / f"to-{other}").symlink_to(tmp_path / "images" / str(other))
    watching = watch()
    paint(tmp_path / "images" / "12" / "1.png", 0)
    watching.wait_for("10/to-11/to-12/1.png", "12/1.png")


def test_an_image_that_is_written_in_pieces_is_one_row(watch: Watch, tmp_path: Path) -> None:
    whole = paint(tmp_path / "whole.png", 255, size=(64, 64)).read_bytes()
    watching = watch("--settle", "0.4")
    with (tmp_path / "images" / "slow.png").open("wb") as file:
        for place in range(0, len(whole) - 40, 30):  # without its last 40 bytes it cannot be read
            file.write(whole[place : min(place + 30, len(whole) - 40)])
            file.flush()
            # By then the watch has looked at the pieces, too.
            marker = f"{place:05}.png"
            paint(tmp_path / "images" / marker, 0)
            wait_for(partial(watching.has, marker))
        file.write(whole[-40:])
    wait_for(partial(watching.has, "slow.png"))
    watching.stop()
    rows = [line for line in watching.table.read_text().splitlines() if line.startswith("slow.png")]
    assert rows == ["slow.png,1,0.495000005,true,0.01,"]


def test_each_anomaly_calls_the_command_without_a_shell(watch: Watch, tmp_path: Path) -> None:
    program = "import sys; open('calls', 'a').write(repr(sys.argv[1:]) + chr(10)); sys.exit('/2.png' in sys.argv[1])"
    call = f'{sys.executable} -c "{program}" "{{path}} at {{score}}"'
    watching = watch("--on-anomaly", call)
    for name in ("0.png", "$(touch oops) 1.png", "2.png", "3.png"):
        paint(tmp_path / "images" / name, 0 if name[0] == "0" else 255)
    calls = tmp_path / "calls"
    wait_for(lambda: calls.exists() and calls.read_text().count("\n") == 3)
    watching.stop()
    assert sorted(calls.read_text().splitlines()) == sorted(
        f"['{tmp_path}/images/{name} at 1']" for name in ("$(touch oops) 1.png", "2.png", "3.png")
    )
    complaint = f"{sys.executable} for {tmp_path}/images/2.png: exit code 1"
    assert [line for line in watching.said.read_text().splitlines() if "exit code" in line] == [complaint]


def test_path_and_score_stand_at_the_end_if_they_stand_nowhere(watch: Watch, tmp_path: Path) -> None:
    watching = watch("--on-anomaly", "touch -r detector.onnx")
    paint(tmp_path / "images" / "a.png", 255)
    wait_for((tmp_path / "1").exists)
    watching.stop()


def test_what_a_command_has_started_ends_with_it(watch: Watch, tmp_path: Path) -> None:
    with hanging(watch, tmp_path) as (watching, alive):
        watching.process.send_signal(signal.SIGTERM)
        assert watching.stop(signal.SIGINT) in (130, 143)
        assert select.select([alive], [], [], 60)[0]
        assert alive.read() == b""


@pytest.mark.slow
def test_a_stop_does_not_wait_for_a_whole_batch_of_commands(watch: Watch, tmp_path: Path) -> None:
    with hanging(watch, tmp_path) as (watching, alive):
        assert watching.stop() == 143
        assert alive.read() == b""
    assert watching.said.read_text().splitlines()[2:] == [
        f"sh for {tmp_path}/images/00.png: ended with the watch",
        "stopped before --on-anomaly was run for the last 15 anomalies in the table",
        "16 images, 16 anomalies, 0 unreadable, on cpu: results.csv",
    ]


@contextmanager
def hanging(watch: Watch, folder: Path) -> Iterator[tuple[Watching, BinaryIO]]:
    """Yields a watch whose command for the first of 16 anomalies does not end, and what its processes keep open."""
    for number in range(16):
        paint(folder / "images" / f"{number:02}.png", 255)
    (folder / "hang.sh").write_text("exec 3> alive\necho begun >&3\nsleep 777\necho done\n")
    os.mkfifo(folder / "alive")
    watching = watch("--settle", "0", "--on-anomaly", "sh hang.sh")
    with (folder / "alive").open("rb") as alive:
        assert alive.readline() == b"begun\n"
        yield watching, alive
