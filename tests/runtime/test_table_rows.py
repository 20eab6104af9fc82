"""Reading the rows of a table that is there: only a torn last one is left out, all else is refused by its line."""

import os
import tracemalloc
from io import FileIO
from pathlib import Path

import pytest

from adscore.errors import OutputError
from adscore.prediction import Prediction
from adscore.table import CSV_HEADING, open_table, written_path
from adscore.table_rows import Row, TableRows

NAMES = ["a.png", "new\nline.png", "r\rn.png", os.fsdecode(b"\xff.png"), 'quo"te,.png', '"', "=1.png", "\u2028.png"]
GOOD = "a.png,0.1,0.2,false,0.5,\n"
JSON = '{"path": "a.png", "score": 0.1, "threshold": 0.2, "is_anomaly": false, "p_value": 0.5, "error": null}\n'
COLUMNS = "is not of a table with the columns path,score,threshold,is_anomaly,p_value,error"
STRAY = "has a stray quote"
SPREADSHEET = "ends with a carriage return, as a spreadsheet saves it"


def read(path: Path) -> tuple[list[Row], int]:
    with FileIO(path) as file:
        rows = TableRows(path.name, file)
        return list(rows), rows.end


def written(path: Path) -> bytes:
    with open_table(str(path)) as write:
        for name in NAMES:
            write(Prediction(name, 1e-9, 0.25, False, 1e-12, None))
            write(Prediction(name, None, 0.25, None, None, 'wrong, "very"\r\nwrong'))
            write(Prediction(name, float("inf"), 0.25, True, 1.0, None))
    return path.read_bytes()


@pytest.mark.parametrize("out", ["r.csv", "r.jsonl"])
def test_all_rows_that_are_written_are_read(tmp_path: Path, out: str) -> None:
    content = written(tmp_path / out)
    rows, end = read(tmp_path / out)
    assert [row.name for row in rows] == [written_path(name) for name in NAMES for _ in range(3)]
    assert {row.threshold for row in rows} == {0.25}
    assert b"".join(row.content for row in rows) == content[content.index(b"\n") + 1 if out == "r.csv" else 0 :]
    assert end == len(content)
    assert [content[: content.index(row.content)].count(b"\n") + 1 for row in rows] == [row.line for row in rows]


@pytest.mark.parametrize(("zeros", "step"), [(0, 5), (100_000, 97)])
@pytest.mark.parametrize("out", ["r.csv", "r.jsonl"])
def test_a_table_that_ends_anywhere_has_its_whole_rows(tmp_path: Path, out: str, zeros: int, step: int) -> None:
    content = written(tmp_path / out)
    whole = read(tmp_path / out)[0]
    ends = [content.index(row.content) + len(row.content) for row in whole]
    heading = content.index(b"\n") + 1 if out == "r.csv" else 0
    for cut in range(0, len(content) + 1, step):
        (tmp_path / out).write_bytes(content[:cut] + b"\0" * zeros)
        rows, end = read(tmp_path / out)
        assert rows == [row for row, its_end in zip(whole, ends, strict=True) if its_end <= cut]
        assert end == max((its_end for its_end in (heading, *ends) if its_end <= cut), default=0)


@pytest.mark.parametrize(
    ("content", "line", "cause"),
    [
        ("name,value\n1,2\n", 1, COLUMNS),
        ("shopping", 1, COLUMNS),
        (GOOD + GOOD, 1, COLUMNS),
        ("path,error,score,threshold,is_anomaly,p_value\n", 1, COLUMNS),
        ("\ufeff" + CSV_HEADING + GOOD, 1, "begins with a byte-order mark, as a spreadsheet saves it"),
        (CSV_HEADING.replace("\n", "\r\n") + GOOD, 1, SPREADSHEET),
        (CSV_HEADING + GOOD + "1,2\n", 3, COLUMNS),
        (CSV_HEADING + GOOD + GOOD.replace("\n", "\r\n") + GOOD, 3, SPREADSHEET),
        (CSV_HEADING + GOOD + "\n" + GOOD, 3, COLUMNS),
        (CSV_HEADING + GOOD + 'b.png,0.1,0.2,false,0.5,see 7" part\n' + 2 * GOOD, 3, STRAY),
        (CSV_HEADING + GOOD + 'b".png,0.1,0.2,false,0.5,7"\n' + 2 * GOOD, 3, STRAY),
        (CSV_HEADING + GOOD + '"b.png,0.1,0.2,false,0.5,\n' + 2 * GOOD, 3, STRAY),
        (CSV_HEADING + GOOD + 'b.png,0.1,0.2,false,0.5,"\n' + 2 * GOOD, 3, STRAY),
        (CSV_HEADING + GOOD + '"b.png,0.1,0.2,false,0.5,\n' + 2 * GOOD + '"c.png",,0.2,,,no\n', 3, STRAY),
        (CSV_HEADING + GOOD + '"b.png,0.1,0.2,false,0.5,\n', 3, STRAY),
        (CSV_HEADING + GOOD + '"b.png,0.1,0.2,false,0.5,\n' + GOOD + "torn", 3, STRAY),
        (CSV_HEADING + GOOD + "b\0.png,0.1,0.2,false,0.5,\n" + GOOD, 3, "holds a NUL, which no row does"),
        (CSV_HEADING + GOOD + "\0\0\0\n\0", 3, "holds a NUL, which no row does"),
        (CSV_HEADING + GOOD + "b.png,0.1,high,false,0.5,\n", 3, COLUMNS),
        (CSV_HEADING + '"new\nline.png",0.1,0.2,false,0.5,\n' + "1,2\n", 4, COLUMNS),
        (CSV_HEADING + "x" * (1 << 20) + "," + GOOD, 2, COLUMNS),
        ('{"path": 1}\n', 1, COLUMNS),
        (JSON + "[]\n" + JSON, 2, COLUMNS),
        (JSON + "[" * 100_000 + "\n" + JSON, 2, COLUMNS),
        (JSON + JSON.replace("path", "file"), 2, COLUMNS),
        (JSON + JSON.replace('"a.png"', "7"), 2, COLUMNS),
        (JSON + JSON.replace("0.2", "null"), 2, COLUMNS),
        (JSON + JSON.replace("0.2", "\0") + JSON, 2, "holds a NUL, which no row does"),
        (JSON + JSON.replace("\n", "\r\n"), 2, SPREADSHEET),
        ("\ufeff" + JSON, 1, "begins with a byte-order mark, as a spreadsheet saves it"),
        (JSON + '{"path": "' + "x" * (1 << 20), 2, COLUMNS),
    ],
)
def test_what_is_no_row_is_refused_by_its_line(tmp_path: Path, content: str, line: int, cause: str) -> None:
    out = "r.jsonl" if "path,score" not in content and "{" in content else "r.csv"
    (tmp_path / out).write_text(content, newline="")
    with pytest.raises(OutputError) as refusal:
        read(tmp_path / out)
    assert str(refusal.value) == (
        f"{out}, line {line}: {cause}; mend the table, which is left as it is, or choose another --out"
    )


@pytest.mark.parametrize("content", ['"' + GOOD * 400_000, "\0" * 20_000_000, "x" * 20_000_000])
def test_memory_stays_small_whatever_the_file_holds(tmp_path: Path, content: str) -> None:
    (tmp_path / "r.csv").write_text(CSV_HEADING + content)
    tracemalloc.start()
    try:
        assert read(tmp_path / "r.csv") == ([], len(CSV_HEADING))
    except OutputError as refusal:
        assert "line 2: " in str(refusal)  # noqa: PT017 - either way it is memory that counts
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 8_000_000
