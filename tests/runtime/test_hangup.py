"""SIGHUP, which comes when a terminal is gone: it ends what runs as SIGTERM does, unless it was ignored before."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adscore.detector import Detector
from adscore.in_order import score_in_order
from adscore.stop import Stop
from tests.feeding import ADSCORE, KEPT, Feeding
from tests.tiny import paint, tiny_detector
from tests.waiting import wait_for
from tests.watching import Watching

pytestmark = pytest.mark.usefixtures("detector_file")


# Runs a command on a terminal of its own, which is closed when a line comes; then prints the command's exit code.
ON_A_TERMINAL = """
import os, pty, sys
process, terminal = pty.fork()
if not process:
    os.execv(sys.argv[1], sys.argv[1:])
sys.stdin.readline()
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"""


def children() -> list[int]:
    me = os.getpid()
    return [int(pid) for pid in Path(f"/proc/{me}/task/{me}/children").read_text(encoding="utf-8").split()]


@pytest.fixture(autouse=True)
def _not_ignored() -> Iterator[None]:
    """Takes back what nohup may have told these tests, since commands that they start would heed it too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_watch_ends_with_its_summary(tmp_path: Path) -> None:
    paint(tmp_path / "images" / "a.png", 0)
    watching = Watching(tmp_path)
    watching.wait_for("a.png")
    assert watching.stop(signal.SIGHUP) == 129
    assert watching.said.read_text().splitlines()[2:] == ["1 images, 0 anomalies, 0 unreadable, on cpu: results.csv"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "images", "detector.onnx", "said", "results.csv", ".results.csv.watch",
    }  # fmt: skip


def test_a_watch_outlives_its_terminal_as_long_as_it_takes_to_end(tmp_path: Path) -> None:
    paint(tmp_path / "images" / "a.png", 0)
    watch = [ADSCORE, "--watch", "images", "--out", "results.csv", "--settle", "0.05"]
    process = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL, *watch],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    table = tmp_path / "results.csv"
    wait_for(lambda: table.exists() and table.read_text().count("\n") == 2)
    assert process.communicate("close\n", timeout=60)[0] == "129\n"
    assert {path.name for path in tmp_path.iterdir()} == {
        "images", "detector.onnx", "results.csv", ".results.csv.watch",
    }  # fmt: skip


def test_a_run_keeps_what_it_scored(tmp_path: Path) -> None:
    paths = [paint(tmp_path / f"{grey:03}.png", grey) for grey in range(17)]
    run = Feeding(tmp_path)
    run.give(paths)
    run.wait_for_kept(2)
    code, said = run.stop(signal.SIGHUP)
    assert code == 129
    assert said[-1] == f"{run.kept()} rows are kept; the same command with --resume goes on from there"
    assert (tmp_path / KEPT).exists()


def test_what_was_told_to_ignore_it_goes_on(tmp_path: Path) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    watching = Watching(tmp_path)
    watching.process.send_signal(signal.SIGHUP)
    paint(tmp_path / "images" / "a.png", 0)
    watching.wait_for("a.png")
    assert watching.stop() == 143


def test_another_one_does_not_hurry_and_another_signal_does() -> None:
    with Stop() as stop:
        for _ in range(3):
            signal.raise_signal(signal.SIGHUP)
        assert stop.code == 129
        with pytest.raises(SystemExit, match="143"):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_workers_leave_it_to_their_parent(tmp_path: Path) -> None:
    paths = [str(paint(tmp_path / f"{grey:03}.png", grey)) for grey in range(40)]
    scored = score_in_order(
        Detector(tiny_detector(), threads=1), ([path] for path in paths), 2, start="fork", warm_up_seconds=0
    )
    scores = [next(scored).scores]
    workers = children()
    for worker in workers:
        os.kill(worker, signal.SIGHUP)
    scores += [next(scored).scores for _ in range(38)]
    assert children() == workers  # or others were started in their place
    scores += [each.scores for each in scored]
    assert [round(float(score[0]) ** 0.5 * 255) for score in scores] == list(range(40))
