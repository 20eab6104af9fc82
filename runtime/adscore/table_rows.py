"""The rows of a table that is there: whole ones, a torn last one, and what is no row of ours, told by its line.

Torn is what a power cut leaves of rows that were not yet on the disk: a last one without its end, and zeros behind it.
"""

import json
import os
import re
from collections.abc import Iterator
from io import FileIO
from typing import BinaryIO, NamedTuple

from adscore.errors import OutputError
from adscore.table import COLUMNS, CSV_HEADING, kind_of_table

_HEADING = CSV_HEADING.encode()
_BEGIN_OF_JSON = b'{"path": '
# No row is longer, whatever its names: what is read at once stays small, whatever the file holds.
_LONGEST = 1 << 20
_BLOCK = 1 << 16
_TEXT = rb'[^",\r\n\0]*|"[^"\0]*(?:""[^"\0]*)*"'
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?|-?inf"
_ROW = re.compile(
    rb'(%b),(?:"?(?:%b)?"?),"?(%b)"?,"?(?:true|false)?"?,"?(?:%b)?"?,(?:%b)\n' % (_TEXT, *[_NUMBER.encode()] * 3, _TEXT)
)
_OPEN_ROW = re.compile(rb'(?:(?:%b),)*"[^"\0]*(?:""[^"\0]*)*' % _TEXT)  # its last quote is closed in a later line


class Row(NamedTuple):
    """One row as it lies in the file."""

    line: int  # where it begins, counted from 1
    content: bytes  # to its line feed
    name: str  # what it calls its image
    threshold: float


class TableRows:
    """The rows of a table, read one after the other.

    Args:
        out: its path as given.
        file: the same, opened for reading.

    Attributes:
        end: number of bytes up to the end of the last whole row that was read, or of the heading.
    """

    end: int = 0

    def __init__(self, out: str, file: FileIO) -> None:
        self._out = out
        self._file = file
        self._is_csv = kind_of_table(out) == ".csv"

    def __iter__(self) -> Iterator[Row]:
        """Yields the whole rows; what is behind `end` when that is over is a torn row.

        Raises:
            OutputError: something is neither; the line and the cause are in the message.
        """
        self.end = 0
        with open(self._file.fileno(), "rb", closefd=False) as reader:
            lines = _lines(reader, _without_zeros(reader))
            for row in self._csv_rows(lines) if self._is_csv else self._json_rows(lines):
                self.end += len(row.content)
                yield row

    def _csv_rows(self, lines: Iterator[bytes]) -> Iterator[Row]:
        heading = next(lines, b"")
        if heading != _HEADING:
            if _HEADING.startswith(heading):
                return
            raise self._foreign(1, heading)
        self.end = len(heading)
        opened: list[bytes] = []  # the lines so far of a row with a line feed in quotes
        first, length = 2, 0
        for number, line in enumerate(lines, 2):
            if not opened:
                first, length = number, 0
            length += len(line)
            if length > _LONGEST:
                raise self._foreign(first, line)
            if not line.endswith(b"\n"):
                break
            if line.count(b'"') % 2 != bool(opened):
                if not opened and not _OPEN_ROW.fullmatch(line):
                    raise self._foreign(first, line)
                opened.append(line)
                continue
            yield self._csv_row(first, b"".join((*opened, line)))
            opened.clear()
        # A quote that is one too many takes all rows behind it for a name that goes on; these are no torn row.
        if opened and any(map(_ROW.fullmatch, (b"".join(opened[0].rpartition(b'"')[::2]), *opened[1:]))):
            raise self._foreign(first, opened[0])

    def _csv_row(self, line: int, content: bytes) -> Row:
        match = _ROW.fullmatch(content)
        if match is None:
            raise self._foreign(line, content)
        name = match[1]
        if name.startswith(b'"'):
            name = name[1:-1].replace(b'""', b'"')
        return Row(line, content, name.decode("utf-8", "surrogateescape"), float(match[2]))

    def _json_rows(self, lines: Iterator[bytes]) -> Iterator[Row]:
        for number, line in enumerate(lines, 1):
            if line.endswith(b"\n"):
                yield self._json_row(number, line)
            elif len(line) > _LONGEST or line[: len(_BEGIN_OF_JSON)] != _BEGIN_OF_JSON[: len(line)]:
                raise self._foreign(number, line)

    def _json_row(self, line: int, content: bytes) -> Row:
        try:
            row = json.loads(content.decode())
            if content.endswith(b"\r\n") or tuple(row) != COLUMNS or not isinstance(row["path"], str):
                raise self._foreign(line, content)
            return Row(line, content, row["path"], float(row["threshold"]))
        except (ValueError, TypeError, RecursionError) as error:
            raise self._foreign(line, content) from error

    def _foreign(self, line: int, content: bytes) -> OutputError:
        return OutputError(
            f"{self._out}, line {line}: {_cause(content)}; mend the table, which is left as it is, or choose another "
            "--out"
        )


def _cause(content: bytes) -> str:
    if content.startswith(b"\xef\xbb\xbf"):
        return "begins with a byte-order mark, as a spreadsheet saves it"
    if b"\0" in content:
        return "holds a NUL, which no row does"
    if content.endswith(b"\r\n"):
        return "ends with a carriage return, as a spreadsheet saves it"
    if b'"' in content and _ROW.fullmatch(content.replace(b'"', b"")):
        return "has a stray quote"
    return f"is not of a table with the columns {','.join(COLUMNS)}"


def _without_zeros(file: BinaryIO) -> int:
    """Returns how long the file is without the zeros at its end."""
    end = file.seek(0, os.SEEK_END)
    while end:
        begin = max(0, end - _BLOCK)
        file.seek(begin)
        content = file.read(end - begin).rstrip(b"\0")
        if content:
            return begin + len(content)
        end = begin
    return 0


def _lines(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yields the lines of the first `size` bytes; a line too long for a row comes in pieces."""
    file.seek(0)
    while size > 0 and (line := file.readline(min(size, _LONGEST + 1))):
        size -= len(line)
        yield line
