"""Whatever names and numbers a row has: both tables give them back."""

import csv
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from adscore.prediction import Prediction
from adscore.table import open_table, written_path

THRESHOLD = float(np.float32(0.3))

signs = st.sampled_from([*b"=+-@,\"'\t\r\n\\ \x1b\xff\x80", *"\u2028\x85😀é".encode(), *b"ab."])
parts = st.lists(st.integers(1, 255) | signs, min_size=1, max_size=30).map(bytes).filter(lambda part: b"/" not in part)
# As the scorer makes them of what the system lists: decoded, "/" between, no "." that leads nowhere.
names = st.lists(parts, min_size=1, max_size=3).map(lambda each: Path(os.fsdecode(b"/".join(each))).as_posix())
scores = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def predictions(draw: st.DrawFn) -> Prediction:
    path = draw(names.filter(lambda name: name != "."))
    if draw(st.booleans()):
        return Prediction(path, None, THRESHOLD, None, None, draw(st.text(min_size=1)))
    return Prediction(path, draw(scores), THRESHOLD, draw(st.booleans()), draw(st.floats(0, 1)), None)


@given(st.lists(predictions(), max_size=4))
def test_rows_come_back(rows: list[Prediction]) -> None:
    with TemporaryDirectory() as folder:
        for name in ("r.csv", "r.jsonl"):
            with open_table(f"{folder}/{name}") as write:
                for row in rows:
                    write(row)
        with Path(folder, "r.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            from_csv = list(csv.DictReader(file))
        text = Path(folder, "r.jsonl").read_bytes().decode("utf-8", errors="strict")
    from_json = [json.loads(line) for line in text.splitlines()]
    assert len(from_csv) == len(from_json) == len(rows)
    for row, separated, read in zip(rows, from_csv, from_json, strict=True):
        assert separated["path"] == read["path"] == written_path(row.path)
        assert Path(read["path"]) == Path(row.path)
        assert (separated["error"] or None) == read["error"] == row.error
        assert read["is_anomaly"] is row.is_anomaly
        assert separated["is_anomaly"] == ("" if row.is_anomaly is None else str(row.is_anomaly).lower())
        if row.score is None:
            assert (separated["score"], read["score"]) == ("", None)
        else:
            assert np.float32(separated["score"]) == np.float32(read["score"]) == np.float32(row.score)
