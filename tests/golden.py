"""The demo detector's golden scores, and what counts as equal to them."""

import csv
from io import StringIO
from pathlib import Path

import pytest

DEMO = Path(__file__).parent.parent / "artifacts" / "demo"

# Other processors and versions round otherwise; a wrong decode, weight or reduction is off by far more.
TOLERANCE = 1e-5


def golden() -> list[dict[str, str]]:
    """Returns the rows of the committed table."""
    return read((DEMO / "scores.csv").read_text(encoding="utf-8"))


def read(table: str) -> list[dict[str, str]]:
    """Returns the rows of a CSV table."""
    return list(csv.DictReader(StringIO(table)))


def assert_golden(table: str) -> None:
    """Fails unless `table`, as adscore wrote it for the demo images, says what the committed one says."""
    rows, expected = read(table), golden()
    assert len(rows) == len(expected) == 16
    for row, wanted in zip(rows, expected, strict=True):
        for column in ("path", "is_anomaly", "error", "threshold"):
            assert row[column] == wanted[column]
        assert float(row["score"]) == pytest.approx(float(wanted["score"]), rel=TOLERANCE)
        # A score that moves past one of the 1,361 held-out scores moves its p-value by one step.
        assert float(row["p_value"]) == pytest.approx(float(wanted["p_value"]), abs=2 / 1362)
