"""A table that grows row by row and is whole after each of them, whatever ends the process that writes it."""

import csv
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO, StringIO
from pathlib import Path
from typing import BinaryIO

from adscore.atomic import append_whole
from adscore.errors import OutputError
from adscore.kept import keep_scores
from adscore.prediction import Prediction
from adscore.table import COLUMNS, CSV_HEADING, kind_of_table, row_writer

# How a table begins that has a row, or a torn piece of one.
_BEGINS = {".csv": CSV_HEADING.encode(), ".jsonl": b'{"path": '}


class AppendedTable:
    """A table to add rows to.

    Args:
        out: its path as given, which ends in .csv or .jsonl.
        file: the same, open for reading and for writing at its end.
    """

    def __init__(self, out: str, file: FileIO) -> None:
        self._out = out
        self._file = file
        self._kind = kind_of_table(out)

    def names(self) -> Iterator[str]:
        """Yields what the rows that are there call their images; cuts off what lies behind the last whole row.

        Raises:
            OutputError: the file is no table of this kind.
        """
        end = 0
        with open(self._file.fileno(), "rb", closefd=False) as reader:
            reader.seek(0)
            for row in _rows(reader, quoted=self._kind == ".csv"):
                if end or self._kind == ".jsonl":
                    yield self._name(row, end)
                elif row != _BEGINS[".csv"]:
                    raise self._foreign(end)
                end += len(row)
            if end == 0:
                reader.seek(0)
                begun = reader.read(len(_BEGINS[self._kind]))
                if not _BEGINS[self._kind].startswith(begun):
                    raise self._foreign(end)
        self._file.truncate(end)
        if end == 0:
            self.append([])

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Adds rows, all or none; when it returns, they are on the disk, in the table that bears the name.

        Raises:
            OutputError: they cannot be written.
        """
        end = self._file.seek(0, os.SEEK_END)
        text = StringIO(newline="")
        write = row_writer(self._kind, text, heading=end == 0)
        for prediction in predictions:
            write(prediction)
        try:
            append_whole(self._file, text.getvalue().encode("utf-8", "surrogateescape"), sync=True)
        except OSError as error:
            raise OutputError(
                f"{self._out}: cannot be written ({error.strerror}); make room and start again"
            ) from error
        self.check()

    def check(self) -> None:
        """Makes sure that the table still bears its name, since rows in one without a name would be lost.

        Raises:
            OutputError: it was removed or replaced.
        """
        with suppress(OSError):
            if os.path.samestat(os.fstat(self._file.fileno()), os.stat(self._out)):  # noqa: PTH116
                return
        raise OutputError(
            f"{self._out}: was removed or replaced while rows were added to it; start again, which scores every image "
            "that has no row in the table"
        )

    def _name(self, row: bytes, place: int) -> str:
        text = row.decode("utf-8", "surrogateescape")
        try:
            cells = next(csv.reader([text])) if self._kind == ".csv" else [json.loads(text)[key] for key in COLUMNS]
        except (ValueError, TypeError, KeyError, csv.Error) as error:
            raise self._foreign(place) from error
        if len(cells) != len(COLUMNS):
            raise self._foreign(place)
        return str(cells[0])

    def _foreign(self, place: int) -> OutputError:
        return OutputError(f"{self._out}: is not a table of this kind, from byte {place} on; choose another --out")


def _rows(reader: BinaryIO, *, quoted: bool) -> Iterator[bytes]:
    """Yields rows as long as they are whole; zeros are what a power cut leaves of a block that was not written."""
    row = b""
    for line in reader:
        row += line
        if not line.endswith(b"\n") or b"\0" in line:
            return
        if quoted and row.count(b'"') % 2:  # the line ended inside a name
            continue
        yield row
        row = b""


@contextmanager
def open_appended(out: str) -> Iterator[AppendedTable]:
    """Opens the table `out`, made if it is not there; no other process may write it meanwhile.

    Raises:
        OutputError: another process writes it, it cannot be written, or its name ends in another suffix.
    """
    kind_of_table(out)
    # The lock of a run that writes the same table at once; nothing is kept in it.
    with keep_scores(Path(out), {"the command": "--watch"}, resume=None):
        try:
            file = FileIO(out, "a+")
        except OSError as error:
            raise OutputError(f"{out}: cannot be written ({error.strerror}); choose another --out") from error
        with file:
            yield AppendedTable(out, file)
