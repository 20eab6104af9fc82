import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from adscore.detector import Detector
from adscore.errors import ModelError
from adscore.in_order import score_in_order
from adscore.prediction import Scored
from adscore.workers import StartMethod
from tests.conftest import ROOT, Run
from tests.tiny import GRAPH, paint, tiny_detector

UNREADABLE = "not an image in a known format (BMP, GIF, JPEG, PNG, PPM, TIFF, WEBP)"


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    painted = [str(paint(tmp_path / f"{grey:03}.png", grey)) for grey in range(100)]
    Path(painted[37]).write_bytes(b"no image")
    return painted


def in_batches(paths: list[str], size: int) -> Iterator[list[str]]:
    return (paths[start : start + size] for start in range(0, len(paths), size))


def rows(batches: Iterator[Scored]) -> list[tuple[float, str | None]]:
    return [
        (score, scored.errors.get(place)) for scored in batches for place, score in enumerate(scored.scores.tolist())
    ]


@pytest.mark.parametrize("start", [None, "spawn"])
@pytest.mark.parametrize(("workers", "batch_size"), [(1, 7), (2, 1), (2, 7), (3, 100)])
def test_workers_and_batches_change_no_row(
    paths: list[str], start: StartMethod | None, workers: int, batch_size: int
) -> None:
    detector = Detector(tiny_detector(), threads=1)
    scored = score_in_order(detector, in_batches(paths, batch_size), workers, start=start, warm_up_seconds=0)
    alone = detector.score_files(paths)
    assert alone.errors == {37: UNREADABLE}
    np.testing.assert_equal(rows(scored), rows(iter([alone])))


def test_batches_are_read_no_further_ahead_than_workers_have_in_hand(paths: list[str]) -> None:
    taken = 0

    def batches() -> Iterator[list[str]]:
        nonlocal taken
        for batch in in_batches(paths, 2):
            taken += 1
            yield batch

    ahead = []
    scored = score_in_order(Detector(tiny_detector(), threads=1), batches(), 2, warm_up_seconds=0)
    for number, _ in enumerate(scored, start=1):
        ahead.append(taken - number)
    assert number == 50
    assert max(ahead) == 2 * 2


def children() -> list[int]:
    me = os.getpid()
    return [int(pid) for pid in Path(f"/proc/{me}/task/{me}/children").read_text(encoding="utf-8").split()]


@pytest.mark.parametrize("start", [None, "spawn"])
def test_no_worker_outlives_the_work(paths: list[str], start: StartMethod | None) -> None:
    before = set(children())  # multiprocessing keeps a process of its own to track what is shared
    scored = score_in_order(
        Detector(tiny_detector(), threads=1), in_batches(paths, 5), 3, start=start, warm_up_seconds=0
    )
    next(scored)
    assert set(children()) - before
    scored.close()  # type: ignore[attr-defined]
    remaining = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in set(children()) - before]
    assert all(b"resource_tracker" in command for command in remaining)


def test_a_small_job_starts_no_worker(paths: list[str]) -> None:
    before = children()
    for _ in score_in_order(Detector(tiny_detector(), threads=1), in_batches(paths, 5), 2, warm_up_seconds=3600):
        assert children() == before


def test_workers_end_with_a_parent_that_is_killed(paths: list[str], tmp_path: Path) -> None:
    (tmp_path / "detector.onnx").write_bytes(tiny_detector())
    program = (
        "import sys; from adscore.detector import Detector; from adscore.in_order import score_in_order\n"
        "import os; from itertools import repeat\n"
        f"scored = score_in_order(Detector({str(tmp_path / 'detector.onnx')!r}, threads=1), repeat([{paths[0]!r}]), 3,"
        " warm_up_seconds=0)\n"
        "next(scored); next(scored)\n"
        "print(open(f'/proc/{os.getpid()}/task/{os.getpid()}/children').read(), flush=True)\n"
        "sys.stdin.read()\n"
    )
    one_thread = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # so that workers are forked, which inherit the most
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=one_thread
    ) as process:
        assert process.stdout is not None
        workers = [int(pid) for pid in process.stdout.readline().split()]
        process.kill()
    assert len(workers) == 3
    for pid in workers:
        with suppress(ProcessLookupError), open_process(pid) as ended:
            assert select.select([ended], [], [], 60)[0], f"worker {pid} is still there"


@contextmanager
def open_process(pid: int) -> Iterator[int]:
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def test_a_reader_that_is_gone_is_not_taken_for_a_fault_of_a_worker(paths: list[str]) -> None:
    program = (
        "from adscore import Detector; from adscore.in_order import score_in_order\n"
        "from tests.tiny import tiny_detector\n"
        "print('buffered')\n"
        f"list(score_in_order(Detector(tiny_detector(), threads=1), [[{paths[0]!r}]] * 3, 2, warm_up_seconds=0))\n"
    )
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert done.stderr.splitlines()[-1] == "BrokenPipeError: [Errno 32] Broken pipe"


def test_a_generator_that_is_left_behind_does_not_hang_the_exit(paths: list[str]) -> None:
    program = (
        "from itertools import repeat; from adscore import Detector; from adscore.in_order import score_in_order\n"
        "from tests.tiny import tiny_detector\n"
        f"scored = score_in_order(Detector(tiny_detector(), threads=1), repeat([{paths[0]!r}]), 2, warm_up_seconds=0)\n"
        "next(scored); next(scored)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_worker_that_is_killed_costs_no_row(paths: list[str]) -> None:
    detector = Detector(tiny_detector(), threads=1)
    scored = score_in_order(detector, in_batches(paths, 5), 2, warm_up_seconds=0)
    first = next(scored)
    os.kill(children()[-1], signal.SIGKILL)
    np.testing.assert_equal([*rows(iter([first])), *rows(scored)], rows(iter([detector.score_files(paths)])))


# A decoder that crashes, as one may that is written in C.
CRASHING = (
    "import os, sys; from PIL import Image, PpmImagePlugin\n"
    "Image.OPEN['PPM'] = (lambda file, name: os._exit(9), lambda start: start[:1] == b'P')\n"
)
IN_TWO_WORKERS = (
    "from adscore import Detector; from adscore.in_order import score_in_order; from tests.tiny import tiny_detector\n"
    "detector = Detector(tiny_detector(), threads=1); paths = sys.argv[1:]\n"
    "batches = (paths[start : start + 5] for start in range(0, len(paths), 5))\n"
    "for scored in score_in_order(detector, batches, 2, warm_up_seconds=0, start='fork'):\n"
    "    print(scored.errors or 'scored', flush=True)\n"
)


def in_two_workers(program: str, paths: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program + IN_TWO_WORKERS, *paths], cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip


def test_however_many_files_end_their_process_each_is_one_row(tmp_path: Path) -> None:
    ends = [str(paint(tmp_path / f"{number}.ppm", 0)) for number in range(15)]
    good = [str(paint(tmp_path / f"{number}.png", 0)) for number in range(5)]
    done = in_two_workers(CRASHING, good + ends + good)
    assert done.returncode == 0, done.stderr
    all_five = dict.fromkeys(range(5), "reading it ended the process that read it")
    assert done.stdout.splitlines() == ["scored", *[str(all_five)] * 3, "scored"]


def test_workers_that_end_whatever_they_read_end_the_run(paths: list[str]) -> None:
    done = in_two_workers("import os, sys; os.register_at_fork(after_in_child=lambda: os._exit(9))\n", paths)
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == (
        "adscore.errors.WorkerError: workers end again and again, the last with exit code 9, perhaps for lack of "
        "memory; try --low-memory, or --workers 1"
    )


def test_a_fault_of_the_graph_reaches_the_caller(paths: list[str]) -> None:
    # Adds a row that no batch but one of a single image can take.
    graph = GRAPH.replace("squared = Mul (difference, difference)", "squared = Mul (difference, row)").replace(
        "  squared =", "  row = Constant <value = float[2, 1, 1, 1] {{1.0, 1.0}}> ()\n  squared ="
    )
    detector = Detector(tiny_detector(graph=graph), threads=1)
    with pytest.raises(ModelError, match="the detector cannot run: "):
        list(score_in_order(detector, in_batches(paths, 5), 2, warm_up_seconds=0))


@pytest.mark.slow
@pytest.mark.usefixtures("detector_file")
def test_the_table_is_the_same_to_the_byte_whatever_the_effort(run: Run, tmp_path: Path) -> None:
    for number in range(3000):
        paint(tmp_path / "images" / f"{number}.png", number % 256)
    (tmp_path / "images" / "7.png").write_bytes(b"")
    efforts = [
        [], ["--workers", "1"], ["--workers", "3", "--batch-size", "5"], ["--threads", "2", "--workers", "2"],
        ["--low-memory"],
    ]  # fmt: skip
    tables = []
    for effort in efforts:
        done = run("adscore", "images", *effort)
        assert (done.returncode, done.stderr.count("\n")) == (3, 2)
        tables.append(done.stdout)
    assert tables == [tables[0]] * len(efforts)
    assert tables[0].count("\n") == 3001
