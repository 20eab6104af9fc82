"""Which images were asked for: files, folders searched to the bottom, and lists of paths on stdin, always in order."""

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TextIO

from adscore.errors import InputError
from adscore.packed import packed_and_sorted

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
_LISTED = ("/", *SUFFIXES)
STDIN = "-"

Identity = tuple[int, int]  # of a folder: device and inode


class ImageFile(NamedTuple):
    """One image that was asked for."""

    name: str  # how the table names it: relative to the folder given, "/" on every system
    location: str  # where it is read from


def find_images(inputs: Sequence[str]) -> Iterator[ImageFile]:
    """Yields the images that `inputs` name, in the order of the inputs, each folder sorted by path.

    A single folder's images are named relative to it; with more inputs than one the folder as given stands before
    them, so that names stay apart. A file named outright is taken whatever its suffix.

    Args:
        inputs: files, folders, and "-" for a list of paths on stdin, one a line.

    Raises:
        InputError: an input does not exist, or a folder holds no image; raised before the first image is yielded.
    """
    found = []
    for given in inputs:
        prefix = "" if len(inputs) == 1 else Path(given).as_posix().rstrip("/") + "/"
        found.append(_images_of(given, prefix))
    return chain.from_iterable(found)


def _images_of(given: str, prefix: str) -> Iterator[ImageFile]:
    """Returns the images of one input; of a folder the first was found when this returns."""
    if given == STDIN:
        if sys.stdin is None:
            raise InputError("stdin is closed; name images or a folder of images")
        return _listed(sys.stdin)
    try:
        mode = Path(given).stat().st_mode
    except FileNotFoundError as error:
        raise InputError(
            f"{given}: no such file or folder; name images, a folder of images, or - for a list on stdin"
        ) from error
    except OSError as error:
        raise InputError(
            f"{given}: cannot be looked at ({error.strerror}); name images or a folder of images"
        ) from error
    if not stat.S_ISDIR(mode):
        return iter([ImageFile(Path(given).as_posix(), given)])
    images = walk(Path(given), prefix)
    first = next(images, None)
    if first is None:
        raise InputError(f"{given}: no images in this folder; looked to the bottom of it for {', '.join(SUFFIXES)}")
    return chain([first], images)


def _listed(lines: TextIO) -> Iterator[ImageFile]:
    if isinstance(lines, TextIOWrapper):
        lines.reconfigure(errors="surrogateescape")  # names that are not UTF-8 still name their files
    for line in lines:
        path = line.rstrip("\r\n")
        if path:
            yield ImageFile(Path(path).as_posix(), path)


def walk(top: Path, prefix: str) -> Iterator[ImageFile]:
    """Yields the images below `top` sorted by their whole names; linked folders are followed, loops are not.

    A folder is searched where it is, and through the first link to it; more links would multiply with each other.
    Holds the names of one folder at each depth and not of the whole tree, and which folders were searched by a link.
    """
    followed: set[Identity] = set()
    # For each depth: what is left of the folder, its path and its name up to a "/", the identities down to it.
    depths: list[tuple[Iterator[str], str, str, tuple[Identity, ...]]] = []
    pending: ImageFile | None = ImageFile(prefix, str(top))
    above: tuple[Identity, ...] = ()
    while pending is not None or depths:
        if pending is not None:
            try:
                here, linked = _identity(pending.location)
                again = here in above or (linked and here in followed)
                keys = iter(()) if again else _list(pending.location)
            except OSError:
                # A folder that cannot be read becomes a row with that error, since the images in it cannot.
                yield ImageFile(pending.name.rstrip("/") or Path(pending.location).as_posix(), pending.location)
            else:
                if linked:
                    followed.add(here)
                depths.append((keys, pending.location.rstrip("/") + "/", pending.name, (*above, here)))
            pending = None
        else:
            keys, folder, name, above = depths[-1]
            for key in keys:
                if key.endswith("/"):
                    pending = ImageFile(name + key, folder + key[:-1])
                    break
                yield ImageFile(name + key, folder + key)
            else:
                depths.pop()


def _identity(folder: str) -> tuple[Identity, bool]:
    """Returns the folder's identity, and whether its name is a link to it, of whatever kind."""
    status = os.stat(folder)  # noqa: PTH116
    return (status.st_dev, status.st_ino), not os.path.samestat(status, os.lstat(folder))


def _list(folder: str) -> Iterator[str]:
    """Returns the folder's images and folders sorted.

    A folder's key ends in "/", which puts what is below it where its whole name belongs.
    """
    with os.scandir(folder) as entries:
        keys = (entry.name + "/" if _is_folder(entry) else entry.name for entry in entries)
        return packed_and_sorted(key for key in keys if key.lower().endswith(_LISTED))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, say: as a file it becomes a row with that error
        return False
