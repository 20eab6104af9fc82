"""What a watch refuses: tables that are none, and options that make no sense with it."""

from pathlib import Path

import pytest

from adscore.table import CSV_HEADING
from tests.conftest import Run
from tests.tiny import paint, tiny_detector, tiny_spec, with_threshold
from tests.watching import Watching

pytestmark = pytest.mark.usefixtures("detector_file")


def test_what_is_no_table_is_left_alone(run: Run, tmp_path: Path) -> None:
    paint(tmp_path / "images" / "a.png", 0)
    row = "a.png,0.1,0.2,false,0.5,"
    content = f'{CSV_HEADING}{row}\n{row}see 7" part\n{row}\n{row}'
    (tmp_path / "r.csv").write_text(content)
    done = run("adscore", "--watch", "images", "--out", "r.csv", "--resume", "--threshold", "0.2")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: r.csv, line 3: has a stray quote; mend the table, which is left as it is, or choose another --out"
    )
    assert (tmp_path / "r.csv").read_text() == content


@pytest.mark.parametrize(
    ("command", "before", "now"),
    [
        (["other"], "the input was {}/images", "{}/other"),
        (["images", "--threshold", "0.5"], "--threshold was not given", "0.5"),
        (["images", "--fpr", "0.01"], "--fpr was not given", "0.01"),
        (["images", "--model", "other.onnx"], "the detector was one with SHA-256 ", ""),
    ],
)
def test_a_table_of_something_else_is_refused(
    run: Run, tmp_path: Path, command: list[str], before: str, now: str
) -> None:
    for folder in ("images", "other"):
        paint(tmp_path / folder / "a.png", 0)
    (tmp_path / "other.onnx").write_bytes(tiny_detector(with_threshold(tiny_spec(), 0.5)))
    watching = Watching(tmp_path, "--model", "detector.onnx")
    watching.wait_for("a.png")
    watching.stop()
    table = watching.table.read_bytes()
    done = run("adscore", "--watch", *command, "--out", "results.csv", ADSCORE_MODEL="detector.onnx")
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"error: results.csv: cannot go on, since {before.format(tmp_path)}")
    assert line.endswith(f"{now.format(tmp_path)} now; repeat what it was, or choose another --out")
    assert watching.table.read_bytes() == table


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["images"], 2, "Error: Invalid value for --watch: takes a table in a file; name it with --out"),
        (["-", "--out", "r.csv"], 2, "Error: Invalid value for --watch: takes one folder"),
        (["images", "images", "--out", "r.csv"], 2, "Error: Invalid value for --watch: takes one folder"),
        (
            ["images", "--out", "r.csv", "--no-resume"],
            2,
            "Error: Invalid value for --no-resume: does not go with --watch",
        ),
        (["images", "--out", "r.csv", "--fdr", "0.1"], 2, "Error: Invalid value for --fdr: does not go with --watch"),
        (["images", "--out", "r.csv", "--fail-on-anomaly"], 2, "Error: Invalid value for --fail-on-anomaly: does not"),
        (["images", "--out", "r.csv", "--settle", "-1"], 2, "Error: Invalid value for --settle: a number of seconds"),
        (["gone", "--out", "r.csv"], 1, "error: gone: no such folder; --watch takes one folder, which has to be there"),
        (["detector.onnx", "--out", "r.csv"], 1, "error: detector.onnx: no such folder; --watch takes one folder"),
        (["images", "--out", "r.txt"], 1, "error: r.txt: unknown kind of table"),
        (["images", "--out", "r.csv", "--on-anomaly", "'"], 1, "error: --on-anomaly ': No closing quotation; give a"),
        (["images", "--out", "r.csv", "--on-anomaly", "gone 1"], 1, "error: --on-anomaly gone 1: no such command; "),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, tmp_path: Path, options: list[str], code: int, message: str) -> None:
    (tmp_path / "images").mkdir()
    done = run("adscore", "--watch", *options)
    assert done.returncode == code
    assert done.stderr.splitlines()[-1].startswith(message)


@pytest.mark.parametrize("options", [["--settle", "2"], ["--on-anomaly", "true"]])
def test_what_belongs_to_a_watch_goes_with_it_only(run: Run, options: list[str]) -> None:
    done = run("adscore", "images", *options)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"Error: Invalid value for {options[0]}: goes with --watch"
