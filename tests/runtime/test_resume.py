"""Runs that are stopped, by real signals at moments that are known, and go on to the table of a run that was not."""

import csv
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.feeding import KEPT, Feeding
from tests.tiny import paint, tiny_detector, tiny_spec, with_threshold
from tests.waiting import wait_for

pytestmark = pytest.mark.usefixtures("detector_file")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for grey in range(20):
        paint(tmp_path / "images" / f"{grey:03}.png", grey)
    return tmp_path / "images"


@pytest.fixture
def feeding(tmp_path: Path) -> Iterator[Callable[..., Feeding]]:
    begun: list[Feeding] = []

    def begin(*options: str) -> Feeding:
        begun.append(Feeding(tmp_path, *options))
        return begun[-1]

    yield begin
    for run in begun:
        run.process.kill()
        run.process.communicate()


def listed(paths: list[Path], folder: Path) -> str:
    return "".join(f"{path.relative_to(folder)}\n" for path in paths)


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"images", "detector.onnx"}


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_run_that_was_stopped_goes_on_to_the_same_table(
    run: Run, tmp_path: Path, images: Path, feeding: Callable[..., Feeding], number: signal.Signals, code: int
) -> None:
    paths = sorted(images.iterdir())
    paths[1].write_bytes(b"no image")
    run("adscore", "-", "--out", "whole.csv", stdin=listed(paths, tmp_path))
    stopped = feeding()
    stopped.give(paths[:17])
    stopped.wait_for_kept(2)
    ended, said = stopped.stop(number)
    assert ended == code
    if number != signal.SIGKILL:
        assert said[1:] == [f"{stopped.kept()} rows are kept; the same command with --resume goes on from there"]
        assert left(tmp_path) == {"whole.csv", KEPT}
    # What was scored is not looked at again, and what could not be read is.
    paths[0].write_bytes(b"no image any more")
    paint(paths[1], 1)
    done = run("adscore", "-", "--out", "results.csv", "--resume", stdin=listed(paths, tmp_path))
    assert done.returncode == 0
    assert left(tmp_path) == {"whole.csv", "results.csv"}
    rows, whole = ((tmp_path / name).read_text().splitlines() for name in ("results.csv", "whole.csv"))
    assert rows[2].startswith("images/001.png,1.5378")
    assert rows[:2] + rows[3:] == whole[:2] + whole[3:]


def test_a_stop_before_the_first_row_leaves_nothing(tmp_path: Path, feeding: Callable[..., Feeding]) -> None:
    stopped = feeding()
    stopped.wait_for_kept(0)
    assert stopped.stop(signal.SIGTERM) == (143, ["detector: detector.onnx"])
    assert left(tmp_path) == set()


def test_runs_may_be_stopped_again_and_again(
    run: Run, tmp_path: Path, images: Path, feeding: Callable[..., Feeding]
) -> None:
    paths = sorted(images.iterdir())
    kept = 0
    for count in (9, 18, 20):
        stopped = feeding("--resume")
        stopped.give(paths[:count])
        stopped.wait_for_kept(kept + 1)
        stopped.stop(signal.SIGKILL)
        kept = stopped.kept()
    # The list in another order, without one and with a new one: names count, not places.
    paint(images / "new.png", 255)
    changed = [images / "new.png", *reversed(paths[2:])]
    done = run("adscore", "-", "--out", "results.csv", "--resume", stdin=listed(changed, tmp_path))
    assert done.returncode == 0
    assert (tmp_path / "results.csv").read_text() == run("adscore", "-", stdin=listed(changed, tmp_path)).stdout


@pytest.mark.parametrize(
    "end", [b'{"images/0', b"\0\0\0\0\n\0\0", b'{"images/009.png": nul}\n{"images/010.png": 1.0}\n', b"[1]\n"]
)
def test_what_a_power_cut_left_in_pieces_is_scored_again(
    run: Run, tmp_path: Path, images: Path, feeding: Callable[..., Feeding], end: bytes
) -> None:
    stopped = feeding()
    stopped.give(sorted(images.iterdir())[:9])
    stopped.wait_for_kept(1)
    stopped.stop(signal.SIGKILL)
    with (tmp_path / KEPT).open("ab") as file:
        file.write(end)
    everything = listed(sorted(images.iterdir()), tmp_path)
    run("adscore", "-", "--out", "results.csv", "--resume", stdin=everything)
    assert (tmp_path / "results.csv").read_text() == run("adscore", "-", stdin=everything).stdout


@pytest.fixture
def stopped(detector_file: Path, images: Path, feeding: Callable[..., Feeding]) -> None:
    """Stops a run after one to three rows."""
    assert detector_file.exists()
    run = feeding()
    run.give(sorted(images.iterdir())[:3])
    run.wait_for_kept(1)
    run.stop(signal.SIGTERM)


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("watch", [[], ["--watch"], ["--watch", "--resume"]])
def test_what_is_kept_is_not_lost_without_a_word(run: Run, tmp_path: Path, watch: list[str]) -> None:
    refused = run("adscore", *watch, "images", "--out", "results.csv")
    assert refused.returncode == 1
    assert re.fullmatch(
        r"error: results\.csv: a run that was stopped left the scores of [123] images; its command goes on from "
        r"there with --resume, or starts anew with --no-resume",
        refused.stderr.splitlines()[-1],
    )
    assert left(tmp_path) == {KEPT}
    anew = run("adscore", "images", "--out", "results.csv", "--no-resume")
    assert (anew.returncode, left(tmp_path)) == (0, {"results.csv"})


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize(
    ("options", "change"),
    [
        (["--threshold", "0.2"], "--threshold was not given and is 0.2 now"),
        (["--fpr", "0.2"], "--fpr was not given and is 0.2 now"),
        (["--fdr", "0.2"], "--fdr was not given and is 0.2 now"),
        (["--model", "other.onnx"], "the detector was one with SHA-256 "),
    ],
)
def test_other_settings_are_refused(run: Run, tmp_path: Path, options: list[str], change: str) -> None:
    (tmp_path / "other.onnx").write_bytes(tiny_detector(with_threshold(tiny_spec(), 0.3)))
    done = run("adscore", "-", "--model", "detector.onnx", "--out", "results.csv", "--resume", *options)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()[1:]
    assert line.startswith(f"error: results.csv: cannot go on, since {change}")
    assert line.endswith(" now; repeat what it was, or start anew with --no-resume")
    assert left(tmp_path) == {KEPT, "other.onnx"}


@pytest.mark.usefixtures("stopped")
def test_other_inputs_are_refused(run: Run, tmp_path: Path) -> None:
    (line,) = run("adscore", "images", "--out", "results.csv", "--resume").stderr.splitlines()[1:]
    assert f"since the input was {tmp_path / '-'} and is {tmp_path / 'images'} now;" in line


def test_all_images_together_are_decided_after_a_stop_as_without(
    run: Run, tmp_path: Path, feeding: Callable[..., Feeding]
) -> None:
    paths = [paint(tmp_path / "images" / f"{grey:03}.png", grey) for grey in (10, 60, 90, 240, 250)]
    stopped = feeding("--fdr", "0.1")
    stopped.give(paths[:3])
    stopped.wait_for_kept(1)
    assert stopped.stop(signal.SIGINT)[0] == 130
    assert left(tmp_path) == {KEPT}
    run("adscore", "-", "--out", "results.csv", "--fdr", "0.1", "--resume", stdin=listed(paths, tmp_path))
    whole = run("adscore", "-", "--fdr", "0.1", stdin=listed(paths, tmp_path)).stdout
    assert (tmp_path / "results.csv").read_text() == whole
    assert [row["is_anomaly"] for row in csv.DictReader(whole.splitlines())] == ["false"] * 3 + ["true"] * 2


def test_one_table_is_written_by_one_run(run: Run, tmp_path: Path, feeding: Callable[..., Feeding]) -> None:
    first = feeding()
    first.wait_for_kept(0)
    second = run("adscore", "-", "--out", "results.csv", "--no-resume")
    assert second.returncode == 1
    assert second.stderr.splitlines()[1:] == [
        "error: results.csv: another run is writing it; wait until it ends, or choose another --out"
    ]
    first.stop(signal.SIGKILL)
    assert run("adscore", "-", "--out", "results.csv").returncode == 0
    assert left(tmp_path) == {"results.csv"}


def test_a_link_is_followed_to_the_table(run: Run, tmp_path: Path, feeding: Callable[..., Feeding]) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.csv").symlink_to("real/results.csv")
    stopped = feeding("--out", "link.csv")
    stopped.give([paint(tmp_path / "images" / "a.png", 0)] * 3)
    wait_for((tmp_path / "real" / KEPT).exists)
    stopped.stop(signal.SIGTERM)
    done = run("adscore", "-", "--out", "real/results.csv", "--resume", stdin="images/a.png\n")
    assert done.returncode == 0
    written = (tmp_path / "real" / "results.csv").read_text()
    assert run("adscore", "-", "--out", "link.csv", stdin="images/a.png\n").returncode == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (
        (tmp_path / "real" / "results.csv").read_text() == written == run("adscore", "-", stdin="images/a.png\n").stdout
    )
    assert left(tmp_path / "real") == {"results.csv"}


def test_a_second_signal_ends_what_the_first_waits_for(
    tmp_path: Path, images: Path, feeding: Callable[..., Feeding]
) -> None:
    paths = sorted(images.iterdir())
    run = feeding("--workers", "2")
    children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children")
    run.give(paths[:1])
    run.wait_for_kept(1)

    def has_workers() -> bool:
        run.give(paths[1:2])
        return len(children.read_text().split()) == 2

    wait_for(has_workers)
    for child in children.read_text().split():  # that stand still are waited for without end
        os.kill(int(child), signal.SIGSTOP)
    run.give(paths)
    run.process.send_signal(signal.SIGTERM)
    code, said = run.stop(signal.SIGINT)
    assert code in (130, 143)
    assert said[1].endswith(" rows are kept; the same command with --resume goes on from there")
    assert left(tmp_path) == {KEPT}


@pytest.mark.parametrize("arguments", [["images", "--resume"], ["--info", "--resume"]])
def test_only_a_table_in_a_file_can_go_on(run: Run, arguments: list[str]) -> None:
    done = run("adscore", *arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "Error: Invalid value for --resume: goes with a table in a file; name it with --out"
    )
