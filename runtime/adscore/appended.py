"""A table that grows row by row and is whole after each of them, whatever ends the process that writes it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO, StringIO
from pathlib import Path

from adscore.atomic import append_whole
from adscore.errors import OutputError
from adscore.kept import keep_scores
from adscore.prediction import Prediction
from adscore.stop import Stop
from adscore.table import kind_of_table, row_writer
from adscore.table_rows import TableRows


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

    def names(self, stop: Stop) -> Iterator[str]:
        """Yields what the rows that are there call their images, and cuts off a torn last one.

        Raises:
            OutputError: something else in it is no row of ours.
            SystemExit: a signal asked to stop; nothing was cut off.
        """
        rows = TableRows(self._out, self._file)
        for row in rows:
            stop.check()
            yield row.name
        self._file.truncate(rows.end)
        if rows.end == 0:
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
