"""The table of a watch: torn, just begun, locked, taken away and emptied."""

import os
import signal
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.tiny import paint
from tests.watching import Watch

pytestmark = pytest.mark.usefixtures("detector_file")

HEADER = "path,score,threshold,is_anomaly,p_value,error\n"


@pytest.mark.parametrize(
    ("out", "torn"),
    [
        ("results.csv", "b.png,0.1"),
        ("results.csv", '"b\n'),
        ("results.csv", "\0\0\0\0"),
        ("results.jsonl", '{"path": "b.png", "sco'),
        ("results.jsonl", "\0\0\0\0"),
    ],
)
def test_a_torn_last_row_is_cut_off(watch: Watch, tmp_path: Path, out: str, torn: str) -> None:
    paint(tmp_path / "images" / "a.png", 9)
    first = watch(out=out)
    first.wait_for("a.png")
    first.stop(signal.SIGKILL)
    whole = first.table.read_bytes()
    first.table.write_bytes(whole + torn.encode())
    paint(tmp_path / "images" / "b.png", 9)
    watch(out=out).wait_for("a.png", "b.png")
    assert first.table.read_bytes() == whole + whole.splitlines(keepends=True)[-1].replace(b"a.png", b"b.png")


@pytest.mark.parametrize("begun", ["", "path,sco", HEADER])
def test_a_table_that_has_just_begun_is_gone_on_with(watch: Watch, tmp_path: Path, begun: str) -> None:
    (tmp_path / "results.csv").write_text(begun)
    paint(tmp_path / "images" / "a.png", 0)
    watch().wait_for("a.png")
    assert (tmp_path / "results.csv").read_text() == HEADER + "a.png,0,0.495000005,false,1,\n"


@pytest.mark.parametrize(
    ("out", "other"), [("results.csv",) * 2, ("results.csv", "link.csv"), ("link.csv", "results.csv")]
)
def test_one_table_is_written_by_one_watch(run: Run, watch: Watch, tmp_path: Path, out: str, other: str) -> None:
    (tmp_path / "link.csv").symlink_to("results.csv")
    watching = watch(out=out)
    for command in (["--watch", "images"], ["detector.onnx"]):
        done = run("adscore", *command, "--out", other)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == (
            f"error: {other}: another run is writing it; wait until it ends, or choose another --out"
        )
    watching.stop(signal.SIGKILL)
    watch()


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("another", [False, True])
def test_no_row_goes_into_a_table_that_is_gone(watch: Watch, tmp_path: Path, replaced: bool, another: bool) -> None:
    paint(tmp_path / "images" / "a.png", 0)
    first = watch()
    first.wait_for("a.png")
    if replaced:
        (tmp_path / "other.csv").write_text(HEADER)
        (tmp_path / "other.csv").replace(first.table)
    else:
        first.table.unlink()
    if another:
        paint(tmp_path / "images" / "b.png", 0)
    assert (first.process.wait(60) if another else first.stop()) == 1
    assert first.said.read_text().splitlines()[2:] == [
        "error: results.csv: was removed or replaced while rows were added to it; start again, which scores every "
        "image that has no row in the table"
    ]
    paint(tmp_path / "images" / "b.png", 0)
    watch().wait_for("a.png", "b.png")


def test_a_table_that_is_emptied_in_its_place_begins_anew(watch: Watch, tmp_path: Path) -> None:
    paint(tmp_path / "images" / "a.png", 0)
    watching = watch()
    watching.wait_for("a.png")
    os.truncate(watching.table, 0)
    paint(tmp_path / "images" / "b.png", 0)
    watching.wait_for("b.png")
    assert watching.stop() == 143
    watching = watch()
    watching.wait_for("b.png", "a.png")
    with watching.table.open("a") as table:
        table.write("mine\n")
    paint(tmp_path / "images" / "c.png", 0)
    assert watching.process.wait(60) == 1
    assert watching.said.read_text().splitlines()[-1] == (
        "error: results.csv: was changed by something else while rows were added to it; start again, and the first "
        "line that is wrong is named"
    )
