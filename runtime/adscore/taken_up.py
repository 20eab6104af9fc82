"""A table that is there already, taken up by a watch: only if it is its own, to the byte, and nothing is lost of it."""

import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from zlib import crc32

from adscore.appended import AppendedTable
from adscore.errors import OutputError
from adscore.journal import Note
from adscore.kept import Settings, difference
from adscore.seen import Seen, Version
from adscore.stop import Stop
from adscore.table_rows import Row

# So many rows are noted at once.
_AT_ONCE = 4096


@dataclass(frozen=True)
class Watched:
    """What a watch adds rows for."""

    folder: str
    settings: Settings  # what its rows depend on
    threshold: float  # in every row


def take_up(table: AppendedTable, watched: Watched, stop: Stop, *, resume: bool, say: Callable[[str], None]) -> Seen:
    """Makes a table ready for new rows, and returns which versions of which images have one.

    Rows behind those with a note are taken for the images that have their names: for such as did not change since the
    table did, by their time.

    Args:
        table: opened; left as it is unless all is well.
        watched: what rows are to be added for.
        stop: ends the reading.
        resume: take rows without a note, and rows that are others than those noted.
        say: takes a line on what was taken so.

    Raises:
        OutputError: it is no table, or of something else, or it is not known of what.
        SystemExit: a signal asked to stop.
    """
    modified = table.modified  # before anything is cut off
    seen, rows, notes = Seen(), table.rows(), table.journal.notes()
    before = table.journal.settings
    number = known = 0
    decided_otherwise: Row | None = None
    for number, row in enumerate(rows, 1):
        stop.check()
        if number == 1 and before is not None and (change := difference(before, watched.settings)) is not None:
            raise OutputError(f"{table.out}: cannot go on, since {change}; repeat what it was, or choose another --out")
        note = next(notes, None) if known == number - 1 else None
        if note is not None and note.checksum == crc32(row.content):
            known = number
            if note.version is not None:
                seen.add(row.name, note.version)
        elif note is None or resume:
            if row.threshold != float(f"{watched.threshold:.9g}"):
                decided_otherwise = decided_otherwise or row
        else:
            raise OutputError(
                f"{table.out}, line {row.line}: is not the row that was written there; choose another --out, or go on "
                "with the table as it is with --resume"
            )
    if number and before is None and not resume:
        raise OutputError(
            f"{table.out}: holds rows, and no notes beside it say of which folder and detector they are; choose "
            "another --out, or go on with it with --resume if they are of these"
        )
    if decided_otherwise is not None:
        raise OutputError(
            f"{table.out}, line {decided_otherwise.line}: was decided by the threshold "
            f"{decided_otherwise.threshold:.9g}, and it is {watched.threshold:.9g} now; choose another --out"
        )
    table.go_on(rows=number, end=rows.end, noted=known, settings=watched.settings)
    if known < number:
        say(
            f"{table.out}: rows without a note of their image: {number - known}; each counts for the image of its "
            "name, unless that is newer than the table"
        )
        _note_rest(table, known, Path(watched.folder), modified, seen, stop)
    return seen


def _note_rest(table: AppendedTable, known: int, folder: Path, modified: int, seen: Seen, stop: Stop) -> None:
    """Notes and takes in of which versions the rows behind the first `known` are."""
    unnoted = islice(table.rows(), known, None)
    while some := list(islice(unnoted, _AT_ONCE)):
        stop.check()
        notes = [Note(crc32(row.content), _version(folder / row.name, modified)) for row in some]
        table.note(known, notes)
        for row, note in zip(some, notes, strict=True):
            if note.version is not None:
                seen.add(row.name, note.version)
        known += len(some)


def _version(path: Path, latest: int) -> Version | None:
    """Returns the version of the file that is there if it is no younger than `latest`, in nanoseconds."""
    with suppress(OSError, ValueError):  # no such file, or no possible name
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_mtime_ns <= latest:
            return status.st_size, status.st_mtime_ns
    return None
