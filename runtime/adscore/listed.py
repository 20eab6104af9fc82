"""A list of paths on stdin, one a line: in the system's encoding, or in the one that its first bytes tell."""

import codecs
import os
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain
from typing import BinaryIO, TextIO

from adscore.errors import InputError
from adscore.file_names import from_utf8

# What Windows writes before text -> the encoding of what follows.
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def listed_paths(stdin: TextIO) -> Iterator[str]:
    """Yields the paths as they come; empty lines are skipped, and a carriage return at the end of a line is none's.

    Raises:
        InputError: the list begins as UTF-16 and is not, or its first line holds a NUL, which no path does.
    """
    # What is no stream of bytes (in a notebook, say) has its own way to text.
    lines = _decoded(stdin.buffer, stdin.encoding) if isinstance(stdin, TextIOWrapper) else stdin
    for number, line in enumerate(lines, 1):
        # So begin lists in UTF-16 without a mark, and those that end paths with a NUL, as `find -print0` does.
        if number == 1 and "\0" in line:
            raise InputError(
                "the list on stdin has a NUL in its first line; write one path a line, in UTF-8, or in UTF-16 with a "
                "byte-order mark"
            )
        path = line.rstrip("\r\n")
        if path:
            yield path


def _decoded(stream: BinaryIO, encoding: str) -> Iterator[str]:
    begun = _begun(stream)
    encoding = _MARKS.get(begun, encoding)
    if encoding.startswith("utf-16"):
        # surrogatepass: a name of Windows may hold half a character; elsewhere a name is bytes, as UTF-8 makes them.
        text = TextIOWrapper(stream, encoding, "surrogatepass", newline="\n")
        try:
            yield from (os.fsdecode(line.encode("utf-8", "surrogatepass")) for line in text)
        except UnicodeDecodeError as error:
            raise InputError(
                f"the list on stdin begins as UTF-16 and is not ({error.reason}); write it in UTF-8"
            ) from error
        finally:
            text.detach()  # or the stream, which is not ours, would be closed with it
        return
    first = b"" if begun in _MARKS else begun
    if not first.endswith(b"\n"):
        first += stream.readline()
    for line in chain([first], stream):
        path = line.decode(encoding, "surrogateescape")  # a name that is not in it still names its file
        yield from_utf8(path) if begun in _MARKS else path


def _begun(stream: BinaryIO) -> bytes:
    """Returns a mark, or else what shows that there is none, byte by byte: the next may be long in coming."""
    begun = b""
    while begun not in _MARKS and any(mark.startswith(begun) for mark in _MARKS) and (byte := stream.read(1)):
        begun += byte
    return begun
