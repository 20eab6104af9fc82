"""Lines of JSON that tell whether they are whole: each has a checksum before it."""

import json
from typing import Any
from zlib import crc32


def line_of(value: Any) -> bytes:
    """Returns the line for a value that JSON can hold."""
    text = json.dumps(value).encode("ascii")
    return b"%08x %b\n" % (crc32(text), text)


def value_of(line: bytes) -> Any:
    """Returns what `line_of` was given.

    Raises:
        ValueError: it did not make this line.
    """
    digits, _, text = line.partition(b" ")
    if not text.endswith(b"\n") or int(digits, 16) != crc32(text[:-1]):
        raise ValueError("the line is not whole")
    return json.loads(text)
