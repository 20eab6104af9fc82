"""The table of results: one row an image, as CSV or JSON lines, in a file that appears when it is complete."""

import csv
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from adscore.errors import OutputError
from adscore.file_names import as_utf8
from adscore.prediction import Prediction

COLUMNS = ("path", "score", "threshold", "is_anomaly", "p_value", "error")
CSV_HEADING = ",".join(COLUMNS) + "\n"
KINDS = (".csv", ".jsonl")
STDOUT = "-"

RowWriter = Callable[[Prediction], None]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@contextmanager
def open_table(out: str) -> Iterator[RowWriter]:
    """Opens the table `out` and yields the function that writes one row.

    The rows go to a hidden file, which takes the place of `out` at the end: a table that is there is complete.

    Args:
        out: a path that ends in .csv or .jsonl, or "-" for CSV on stdout.

    Raises:
        OutputError: another suffix, no regular file, or it cannot be written.
    """
    kind = kind_of_table(out)
    if out == STDOUT:
        yield from _to_stdout(kind)
        return
    from adscore.atomic import appears_when_complete  # what it imports is a hundredth of the time that one image takes
    from adscore.refusals import refuse_no_file

    refuse_no_file(Path(out))
    with (
        appears_when_complete(Path(out)) as partial,
        # surrogateescape: a file name that is not UTF-8 comes out as the bytes it is.
        partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        yield row_writer(kind, file)


def kind_of_table(out: str) -> str:
    """Returns ".csv" or ".jsonl" for a table's path, or for "-".

    Raises:
        OutputError: another suffix.
    """
    suffix = ".csv" if out == STDOUT else Path(out).suffix.lower()
    if suffix not in KINDS:
        raise OutputError(f"{out}: unknown kind of table; end the name in {' or '.join(KINDS)}, or give - for stdout")
    return suffix


def written_path(path: str) -> str:
    """Returns what the table calls `path`: a name that a spreadsheet would run as a formula begins with "./".

    It names the same file, and no other path is called so, since paths never come with a "./" before them. The bytes of
    a name are kept, whatever the locale.
    """
    path = as_utf8(path)
    return f"./{path}" if path.startswith(_FORMULA) else path


def row_writer(kind: str, file: TextIO, *, heading: bool = True) -> RowWriter:
    """Returns the function that writes one row to a file, opened with surrogateescape and newline="".

    Args:
        kind: ".csv" or ".jsonl".
        file: what to write to.
        heading: begin with the names of the columns, where the kind has them.
    """
    if kind == ".jsonl":
        return _jsonl_writer(file)
    if heading:
        file.write(CSV_HEADING)
    return _csv_writer(file)


def _to_stdout(kind: str) -> Iterator[RowWriter]:
    if sys.stdout is None:
        raise OutputError("stdout is closed; name a table with --out")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")
    try:
        yield row_writer(kind, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has had enough, which is no fault
        raise
    except OSError as error:
        # What is still in the buffer would fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(f"stdout cannot be written ({error.strerror}); name a table with --out") from error


def _csv_writer(file: TextIO) -> RowWriter:
    plain = csv.writer(file, lineterminator="\n")
    quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)

    of_all, text_of_all = math.nan, ""  # the threshold is mostly the same in all rows

    def write(row: Prediction) -> None:
        nonlocal of_all, text_of_all
        if row.threshold != of_all:
            of_all, text_of_all = row.threshold, _nine(row.threshold)
        label = "" if row.is_anomaly is None else "true" if row.is_anomaly else "false"
        error = row.error or ""
        # The csv module leaves a lone carriage return unquoted, and readers take it for the end of a row.
        rows = quoted if "\r" in row.path or "\r" in error else plain
        numbers = [_nine(row.score), text_of_all, label, _six(row.p_value)]
        rows.writerow([written_path(row.path), *numbers, error])

    return write


def _jsonl_writer(file: TextIO) -> RowWriter:
    def number(text: str) -> float | None:
        return float(text) if text else None

    def write(row: Prediction) -> None:
        path = written_path(row.path)
        values = (
            path, number(_nine(row.score)), number(_nine(row.threshold)), row.is_anomaly,
            number(_six(row.p_value)), row.error,
        )  # fmt: skip
        # Escapes keep the file UTF-8 whatever bytes a name has, and a line one line to readers that split at U+2028.
        escape = not (path + (row.error or "")).isprintable()
        file.write(json.dumps(dict(zip(COLUMNS, values, strict=True)), ensure_ascii=escape) + "\n")

    return write


def _nine(value: float | None) -> str:
    """Returns the number with nine digits, which give a float32 back exactly, so scores compare as they did here."""
    return "" if value is None else f"{value:.9g}"


def _six(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
