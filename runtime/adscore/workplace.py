"""Hidden folders beside a result, in which it is made: each is its maker's alone.

Process ids repeat between containers and between machines that share a disk, so the names are drawn at random. Nobody
removes what he did not make, but for what a maker left who is proven dead: in each folder lies a mark, which the system
locks as long as its maker lives.
"""

import os
import re
import shutil
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from adscore.locked import is_alive, mark

# Systems take names of 255 bytes; what is added shall fit in as well.
_LONGEST_NAME = 200
_MARK = ".adscore-maker"
_LEFTOVER = re.compile(r"\..+-[0-9a-f]{12}\.partial", re.DOTALL)


def hidden_beside(place: Path, purpose: str) -> Path:
    """Returns the hidden path beside `place` that is the same in every run, short enough wherever `place` itself is.

    Who writes there sees to it that no other process does.
    """
    return place.with_name(f".{_short(place)}.{purpose}")


@contextmanager
def workplace(place: Path) -> Iterator[Path]:
    """Yields an empty hidden folder beside `place` that nobody else has, and removes it at the end.

    Raises:
        OSError: it cannot be made.
    """
    folder, maker = _made(place)
    try:
        yield folder
    finally:
        if sys.platform == "win32":  # which removes no file that is open
            maker.close()
        shutil.rmtree(folder, ignore_errors=True)
        maker.close()


def clear_dead(place: Path, own: Path) -> bool:
    """Removes the folders that makers of `place` left who are dead, and returns whether others are at work on it.

    Args:
        place: the result to be.
        own: this process's own folder for it.
    """
    ours = re.compile(re.escape(f".{_short(place)}-") + r"[0-9a-f]{12}\.partial")
    others = False
    for name in os.listdir(place.parent):  # noqa: PTH208 - the folder may hold a million images
        if name != own.name and ours.fullmatch(name):
            alive = is_alive(place.parent / name / _MARK)
            others |= alive is True
            if alive is False:
                shutil.rmtree(place.parent / name, ignore_errors=True)
            elif alive is None:
                # One that is empty may be of a maker that ended before it left its mark; if not, that makes another.
                with suppress(OSError):
                    (place.parent / name).rmdir()
    return others


def is_leftover(path: Path) -> bool:
    """Returns whether a path bears the name of a hidden folder in which something is made."""
    return _LEFTOVER.fullmatch(path.name) is not None


def _made(place: Path) -> tuple[Path, FileIO]:
    while True:
        folder = place.with_name(f".{_short(place)}-{os.urandom(6).hex()}.partial")
        folder.mkdir(0o700)
        try:
            maker = mark(folder / _MARK)
        except FileNotFoundError:
            maker = None
        except BaseException:
            folder.rmdir()
            raise
        if maker is not None:  # else someone looked for dead makers before the mark was there
            return folder, maker


def _short(place: Path) -> str:
    name = os.fsencode(place.name)
    return place.name if len(name) <= _LONGEST_NAME else f"{zlib.crc32(name):08x}"
