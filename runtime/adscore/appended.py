"""A table that grows row by row and is whole after each of them, whatever ends the process that writes it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO, StringIO
from pathlib import Path
from zlib import crc32

from adscore.atomic import append_whole
from adscore.errors import OutputError
from adscore.journal import Journal, Note, open_journal
from adscore.kept import Settings, keep_scores
from adscore.prediction import Prediction
from adscore.seen import Version
from adscore.table import kind_of_table, row_writer
from adscore.table_rows import TableRows


class AppendedTable:
    """A table to add rows to, with a note of each beside it.

    Args:
        out: its path as given, which ends in .csv or .jsonl.
        file: the same, open for reading and for writing at its end.
        journal: the notes.
    """

    def __init__(self, out: str, file: FileIO, journal: Journal) -> None:
        self.out = out
        self.journal = journal
        self._file = file
        self._kind = kind_of_table(out)
        self._settings: Settings = {}
        self._rows = self._end = 0  # number, and bytes up to their end

    @property
    def modified(self) -> int:
        """When it was last written, in nanoseconds."""
        return os.fstat(self._file.fileno()).st_mtime_ns

    def rows(self) -> TableRows:
        """Returns the rows that are there, to be read."""
        return TableRows(self.out, self._file)

    def go_on(self, *, rows: int, end: int, noted: int, settings: Settings) -> None:
        """Makes it ready for rows behind those that were read: cuts off the rest of them, and of the notes.

        Args:
            rows: number of whole rows.
            end: number of bytes up to their end; 0 if not even a heading is there.
            noted: of how many of them the notes hold true.
            settings: what the rows depend on.

        Raises:
            OutputError: it cannot be written.
        """
        self._rows = rows
        self._settings = settings
        with self._to_be_written():
            if noted:
                self.journal.forget_rest()
            else:
                self.journal.begin(settings)
            self._file.truncate(end)
            if end == 0:
                heading = StringIO()
                row_writer(self._kind, heading)
                append_whole(self._file, heading.getvalue().encode(), sync=True)
            self._end = self._file.seek(0, os.SEEK_END)

    def note(self, first: int, notes: Sequence[Note]) -> None:
        """Notes of which versions rows are that follow the first so many.

        Raises:
            OutputError: it cannot be written.
        """
        with self._to_be_written():
            self.journal.add(first, notes)

    def append(self, rows: Sequence[tuple[Prediction, Version | None]]) -> None:
        """Adds rows, all or none; when it returns, they are on the disk, in the table that bears the name.

        Args:
            rows: each with the version of its image; None for a row that is of none.

        Raises:
            OutputError: they cannot be written.
        """
        self._expect_end()
        contents = []
        for prediction, _ in rows:
            text = StringIO(newline="")
            row_writer(self._kind, text, heading=False)(prediction)
            contents.append(text.getvalue().encode("utf-8", "surrogateescape"))
        notes = [Note(crc32(content), version) for content, (_, version) in zip(contents, rows, strict=True)]
        self.note(self._rows, notes)
        with self._to_be_written():
            append_whole(self._file, b"".join(contents), sync=True)
        self._rows += len(rows)
        self._end += sum(map(len, contents))
        self.check()

    def check(self) -> None:
        """Makes sure that the table still bears its name, since rows in one without a name would be lost.

        Raises:
            OutputError: it was removed or replaced.
        """
        with suppress(OSError):
            if os.path.samestat(os.fstat(self._file.fileno()), os.stat(self.out)):  # noqa: PTH116
                return
        raise OutputError(
            f"{self.out}: was removed or replaced while rows were added to it; start again, which scores every image "
            "that has no row in the table"
        )

    def _expect_end(self) -> None:
        """Makes sure that the table ends where it did; begins it anew where it was emptied, as rotations of logs do."""
        size = os.fstat(self._file.fileno()).st_size
        if size == 0:
            self.go_on(rows=0, end=0, noted=0, settings=self._settings)
        elif size != self._end:
            raise OutputError(
                f"{self.out}: was changed by something else while rows were added to it; start again, and the first "
                "line that is wrong is named"
            )

    @contextmanager
    def _to_be_written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(f"{self.out}: cannot be written ({error.strerror}); make room and start again") from error


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
        with file, open_journal(out) as journal:
            yield AppendedTable(out, file, journal)
