"""What a watch keeps beside its table, hidden: whose rows these are, and of which version of its image each one is.

One line of settings, then a line for each batch of rows, each with its checksum. A line is on the disk before its rows
are, so after whatever end there are notes of rows that are not there, and no rows without a note. The next line says
with how many rows it begins: of the notes before, as many count.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from adscore.atomic import append_whole
from adscore.checked_lines import line_of, value_of
from adscore.errors import OutputError
from adscore.kept import Settings
from adscore.refusals import real_place
from adscore.seen import Version
from adscore.workplace import hidden_beside


class Note(NamedTuple):
    """What is noted of a row."""

    checksum: int  # CRC-32 of the row as it lies in the table
    version: Version | None  # of its image; None for a row that is of none


class Journal:
    """The notes of one table.

    Args:
        file: the hidden file, open for reading and for writing at its end.

    Attributes:
        settings: what the rows depend on; None if there are no notes.
    """

    settings: Settings | None = None

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._end = 0  # of the line of the last note that was read
        with open(file.fileno(), "rb", closefd=False) as reader:
            for value, _ in _values(reader):
                self.settings = value
                break

    def begin(self, settings: Settings) -> None:
        """Forgets all notes, and begins anew with what the rows to come depend on.

        Raises:
            OSError: it cannot be written.
        """
        self._file.truncate(0)
        append_whole(self._file, line_of(settings), sync=True)
        self.settings = settings
        self._end = self._file.tell()

    def notes(self) -> Iterator[Note]:
        """Yields the notes in the order of the rows, as far as they are whole."""
        with open(self._file.fileno(), "rb", closefd=False) as reader:
            values = _values(reader)
            _, self._end = next(values, (None, 0))
            held: list[Any] = []
            first, end = 0, self._end
            for (begin, notes), its_end in values:
                if not first <= begin <= first + len(held):  # no line of ours leaves out rows
                    break
                self._end = end
                yield from map(_note, held[: begin - first])
                held, first, end = notes, begin, its_end
            self._end = end
            yield from map(_note, held)

    def forget_rest(self) -> None:
        """Forgets the lines behind the one of the last note that was read, whose rows are not there."""
        self._file.truncate(self._end)

    def add(self, first: int, notes: Sequence[Note]) -> None:
        """Adds notes; when it returns, they are on the disk.

        Args:
            first: number of rows before theirs.
            notes: one a row.

        Raises:
            OSError: they cannot be written.
        """
        append_whole(self._file, line_of([first, notes]), sync=True)


def _values(lines: BinaryIO) -> Iterator[tuple[Any, int]]:
    """Yields the value of each line and where the line ends, up to the first line that is not whole."""
    end = lines.seek(0)
    for line in lines:
        end += len(line)
        try:
            value = value_of(line)
        except ValueError:
            return
        yield value, end


def _note(value: tuple[int, list[int] | None]) -> Note:
    checksum, version = value
    return Note(checksum, None if version is None else (version[0], version[1]))


@contextmanager
def open_journal(out: str) -> Iterator[Journal]:
    """Opens the notes of the table `out`, whose lock is held; an empty file is not left behind.

    Raises:
        OutputError: they cannot be written there.
    """
    path = hidden_beside(real_place(Path(out)), "watch")
    try:
        file = FileIO(path, "a+")
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}); choose another --out") from error
    journal = Journal(file)
    try:
        yield journal
    finally:
        file.close()
        if journal.settings is None:
            path.unlink(missing_ok=True)
