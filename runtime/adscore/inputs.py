"""Which images were asked for: files, folders searched to the bottom, and lists of paths on stdin, always in order."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from adscore.errors import InputError

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
STDIN = "-"


@dataclass(frozen=True)
class ImageFile:
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
    for given in inputs:
        _check(given)
    return _walk_inputs(inputs)


def _check(given: str) -> None:
    path = Path(given)
    if given == STDIN or path.is_file():
        return
    if not path.exists():
        raise InputError(f"{given}: no such file or folder; name images, a folder of images, or - for a list on stdin")
    if path.is_dir() and next(_walk(path, ""), None) is None:
        raise InputError(f"{given}: no images in this folder; looked to the bottom of it for {', '.join(SUFFIXES)}")


def _walk_inputs(inputs: Sequence[str]) -> Iterator[ImageFile]:
    for given in inputs:
        if given == STDIN:
            yield from _listed(sys.stdin)
        elif Path(given).is_dir():
            prefix = "" if len(inputs) == 1 else Path(given).as_posix().rstrip("/") + "/"
            yield from _walk(Path(given), prefix)
        else:
            yield ImageFile(Path(given).as_posix(), given)


def _listed(lines: TextIO) -> Iterator[ImageFile]:
    if isinstance(lines, TextIOWrapper):
        lines.reconfigure(errors="surrogateescape")  # names that are not UTF-8 still name their files
    for line in lines:
        path = line.rstrip("\r\n")
        if path:
            yield ImageFile(Path(path).as_posix(), path)


def _walk(folder: Path, prefix: str, above: tuple[tuple[int, int], ...] = ()) -> Iterator[ImageFile]:
    """Yields the images below `folder` sorted by their whole names; linked folders are followed, loops are not.

    Holds the names of one folder at each depth and not of the whole tree.
    """
    try:
        status = folder.stat()
        here = (status.st_dev, status.st_ino)
        if here in above:
            return
        with os.scandir(folder) as entries:
            # A folder's key ends in "/", which puts what is below it where its whole name belongs.
            keys = sorted(entry.name + "/" if _is_folder(entry) else entry.name for entry in entries)
    except OSError:
        # A folder that cannot be read becomes a row with that error, since the images in it cannot.
        yield ImageFile(prefix.rstrip("/") or folder.as_posix(), str(folder))
        return
    for key in keys:
        if key.endswith("/"):
            yield from _walk(folder / key, prefix + key, (*above, here))
        elif key.lower().endswith(SUFFIXES):
            yield ImageFile(prefix + key, str(folder / key))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, say: as a file it becomes a row with that error
        return False
