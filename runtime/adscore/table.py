"""The table of results: one row an image, as CSV or JSON lines, in a file that appears when it is complete."""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from adscore.atomic import appears_when_complete
from adscore.detector import Prediction
from adscore.errors import OutputError

COLUMNS = ("path", "score", "threshold", "is_anomaly", "p_value", "error")
STDOUT = "-"

RowWriter = Callable[[Prediction], None]


@contextmanager
def open_table(out: str) -> Iterator[RowWriter]:
    """Opens the table `out` and yields the function that writes one row.

    The rows go to a hidden file beside `out`, which takes its name at the end: a table that is there is complete.

    Args:
        out: a path that ends in .csv or .jsonl, or "-" for CSV on stdout.

    Raises:
        OutputError: another suffix, or the file cannot be written.
    """
    suffix = ".csv" if out == STDOUT else Path(out).suffix.lower()
    if suffix not in _WRITERS:
        raise OutputError(
            f"{out}: unknown kind of table; end the name in {' or '.join(_WRITERS)}, or give - for stdout"
        )
    if out == STDOUT:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")
        yield _WRITERS[suffix](sys.stdout)
        sys.stdout.flush()
        return
    with (
        appears_when_complete(Path(out)) as partial,
        # surrogateescape: a file name that is not UTF-8 comes out as the bytes it is.
        partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        yield _WRITERS[suffix](file)


def _csv_writer(file: TextIO) -> RowWriter:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)

    def write(row: Prediction) -> None:
        label = "" if row.is_anomaly is None else str(row.is_anomaly).lower()
        rows.writerow(
            [row.path, _digits(row.score), _digits(row.threshold), label, _digits(row.p_value, 6), row.error or ""]
        )

    return write


def _jsonl_writer(file: TextIO) -> RowWriter:
    def number(value: float | None, digits: int = 9) -> float | None:
        return None if value is None else float(_digits(value, digits))

    def write(row: Prediction) -> None:
        values = (
            row.path, number(row.score), number(row.threshold), row.is_anomaly, number(row.p_value, 6), row.error,
        )  # fmt: skip
        file.write(json.dumps(dict(zip(COLUMNS, values, strict=True)), ensure_ascii=False) + "\n")

    return write


def _digits(value: float | None, digits: int = 9) -> str:
    """Returns the number with so many digits; nine give a float32 back exactly, so scores compare as they did here."""
    return "" if value is None else format(value, f".{digits}g")


_WRITERS: dict[str, Callable[[TextIO], RowWriter]] = {".csv": _csv_writer, ".jsonl": _jsonl_writer}
