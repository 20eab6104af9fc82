"""File names in results: the bytes that they are on disk, read as UTF-8, whatever the locale of who reads or writes.

Python reads names by the locale. In one of ISO-8859-1, names that are UTF-8 would be written as other bytes, and a
table would depend on where it was made. In a UTF-8 locale nothing is done here.
"""

import os
import sys
from collections.abc import Sequence

_SAME = sys.getfilesystemencoding().lower() in ("utf-8", "utf8")


def as_utf8(name: str) -> str:
    """Returns a name as files hold it; bytes that are no UTF-8 become surrogates, as surrogateescape has them."""
    return name if _SAME else os.fsencode(name).decode("utf-8", "surrogateescape")


def all_as_utf8(names: Sequence[str]) -> Sequence[str]:
    """Returns names as files hold them."""
    return names if _SAME else [as_utf8(name) for name in names]


def from_utf8(name: str) -> str:
    """Returns the name that opens a file, from a name that a file holds."""
    return name if _SAME else os.fsdecode(name.encode("utf-8", "surrogateescape"))
