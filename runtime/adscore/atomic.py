"""Files and folders that appear when they are complete: written beside their place, then renamed.

A link is followed: the place is where it leads to, so that what has two names is still one place.
"""

import os
import shutil
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from adscore.errors import OutputError

# Systems take names of 255 bytes; a purpose shall fit in as well.
_LONGEST_NAME = 200


@contextmanager
def appears_when_complete(target: Path, partial: Path | None = None) -> Iterator[Path]:
    """Yields a hidden path beside `target` to write a file or a folder to; at the end it takes the target's name.

    After a failure nothing new is left behind, and what stood at `target` before still stands there. Folders above
    `target` are made.

    Args:
        target: the file or folder to be.
        partial: the hidden path, on the same disk; by default one that no other process has.

    Raises:
        OutputError: for any OSError while the path is in use, since it is in use for writing.
    """
    place = _place(target)
    partial = partial or _beside(place, "partial")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        _take_the_place(partial, place)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror or error}); choose another --out") from error
    finally:
        _remove(partial)


def hidden_beside(target: Path, purpose: str) -> Path:
    """Returns the hidden path beside `target` that is the same in every run, short enough wherever `target` itself is.

    Who writes there sees to it that no other process does.
    """
    place = _place(target)
    if len(os.fsencode(place.name)) <= _LONGEST_NAME:
        return place.with_name(f".{place.name}.{purpose}")
    return place.with_name(f".{zlib.crc32(os.fsencode(place.name)):08x}.{purpose}")


def append_whole(file: FileIO, content: bytes, *, sync: bool) -> None:
    """Adds to the end of a file all of `content`, or nothing of it.

    Args:
        file: open for writing at its end.
        content: what to add.
        sync: return only when it is on the disk.

    Raises:
        OSError: it cannot be written.
    """
    end = file.seek(0, os.SEEK_END)
    unwritten = memoryview(content)
    try:
        while unwritten:
            unwritten = unwritten[file.write(unwritten) :]
        if sync:
            os.fsync(file.fileno())
    except BaseException:
        file.truncate(end)
        raise


def refuse_no_file(target: Path) -> None:
    """Raises OutputError if `target`, which is to be a file, is a folder, pipe or device, or has no possible name."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror or error}); choose another --out") from error
    if stat.S_ISDIR(mode):
        raise OutputError(f"{target}: is a folder; name a file in it with --out")
    if not stat.S_ISREG(mode):
        raise OutputError(f"{target}: is not a regular file; choose another --out")


def refuse_existing(folder: Path, *, force: bool, contents: tuple[str, ...]) -> None:
    """Makes sure that `folder` may be written: it is not there, or `force` says to replace it and it is one of ours.

    Args:
        folder: the place asked for.
        force: replace what is there.
        contents: patterns of all that such a folder holds, so that --force cannot remove anything else.

    Raises:
        OutputError: the folder must stay.
    """
    if not folder.exists():
        return
    if not force:
        raise OutputError(f"{folder}: exists already; choose another --out, or replace it with --force")
    if not folder.is_dir():
        raise OutputError(f"{folder}: is no folder, and is not replaced; choose another --out")
    for path in folder.iterdir():
        if path.is_dir() or not any(path.match(pattern) for pattern in contents):
            raise OutputError(
                f"{folder}: holds {path.name}, which this command did not write, so it is not replaced; "
                "choose another --out"
            )


def _place(target: Path) -> Path:
    return Path(os.path.realpath(target))


def _beside(place: Path, purpose: str) -> Path:
    """Returns a hidden path for one process, short enough wherever `place` itself is."""
    return place.with_name(f".adscore-{os.getpid()}.{purpose}")


def _take_the_place(partial: Path, place: Path) -> None:
    if not (place.is_dir() and partial.is_dir()):
        partial.replace(place)
        return
    # A rename replaces a file, but not a folder with something in it.
    replaced = _beside(place, "replaced")
    place.rename(replaced)
    try:
        partial.rename(place)
    except BaseException:
        replaced.rename(place)
        raise
    _remove(replaced)


def _remove(leftover: Path) -> None:
    with suppress(OSError):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
