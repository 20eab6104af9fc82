import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from adscore.errors import OutputError
from adscore.prediction import Prediction
from adscore.table import open_table

LIMIT = float(np.float32(0.3))
ROWS = [
    Prediction("a.png", float(np.float32(0.1)), LIMIT, False, 0.123456789, None),
    Prediction('odd, "name"\n.png', float(np.float32(1e-7)), LIMIT, True, 1.0, None),
    Prediction("bad.png", None, LIMIT, None, None, "not an image"),
]

CSV = """\
path,score,threshold,is_anomaly,p_value,error
a.png,0.100000001,0.300000012,false,0.123457,
"odd, ""name""
.png",1.00000001e-07,0.300000012,true,1,
bad.png,,0.300000012,,,not an image
"""

JSONL = r"""{"path": "a.png", "score": 0.100000001, "threshold": 0.300000012, "is_anomaly": false, "p_value": 0.123457, "error": null}
{"path": "odd, \"name\"\n.png", "score": 1.00000001e-07, "threshold": 0.300000012, "is_anomaly": true, "p_value": 1.0, "error": null}
{"path": "bad.png", "score": null, "threshold": 0.300000012, "is_anomaly": null, "p_value": null, "error": "not an image"}
"""  # noqa: E501


@pytest.mark.parametrize(("name", "text"), [("r.csv", CSV), ("r.JSONL", JSONL), ("new/folder/r.csv", CSV)])
def test_the_tables_text(tmp_path: Path, name: str, text: str) -> None:
    with open_table(str(tmp_path / name)) as write:
        for row in ROWS:
            write(row)
        assert not (tmp_path / name).exists()
    assert (tmp_path / name).read_bytes().decode() == text
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == [Path(name).name]


def test_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = io.StringIO()
    monkeypatch.setattr("sys.stdout", stdout)
    with open_table("-") as write:
        write(ROWS[0])
    assert stdout.getvalue() == "\n".join(CSV.splitlines()[:2]) + "\n"


def test_nine_digits_give_every_float32_back(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).random(1000).astype(np.float32) * np.float32(1e-3)
    with open_table(str(tmp_path / "r.jsonl")) as write:
        for score in scores:
            write(Prediction("a.png", float(score), LIMIT, False, 1.0, None))
    read = [json.loads(line)["score"] for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert (np.array(read, np.float32) == scores).all()


def test_names_that_are_not_utf8_come_out_as_their_bytes(tmp_path: Path) -> None:
    with open_table(str(tmp_path / "r.csv")) as write:
        write(Prediction(b"\xff.png".decode(errors="surrogateescape"), None, LIMIT, None, None, "gone"))
    assert (tmp_path / "r.csv").read_bytes().endswith(b"\n\xff.png,,0.300000012,,,gone\n")


def test_a_carriage_return_in_a_name_stays_in_its_row(tmp_path: Path) -> None:
    with open_table(str(tmp_path / "r.csv")) as write:
        write(Prediction("a\rb.png", None, LIMIT, None, None, "gone"))
        write(ROWS[0])
    with (tmp_path / "r.csv").open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["a\rb.png", "a.png"]


def test_after_a_failure_the_old_table_stands_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("old")
    with pytest.raises(RuntimeError), open_table(str(tmp_path / "r.csv")) as write:
        write(ROWS[0])
        raise RuntimeError
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("r.csv", "old")]


def test_unknown_suffix_is_refused() -> None:
    with pytest.raises(
        OutputError, match="r.xlsx: unknown kind of table; end the name in .csv or .jsonl, or give - for"
    ):
        open_table("r.xlsx").__enter__()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/r\.csv: cannot be written \(.+\); choose another --out"):
        open_table(str(tmp_path / "file" / "r.csv")).__enter__()
