"""Which images were asked for: files, folders searched to the bottom, and lists of paths on stdin, always in order."""

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from adscore.errors import InputError
from adscore.packed import packed_and_sorted
from adscore.sieve import SUFFIXES, Sieve, passed_over

STDIN = "-"

Identity = tuple[int, int]  # of a folder: device and inode


class ImageFile(NamedTuple):
    """One image that was asked for."""

    name: str  # how the table names it: relative to the folder given, "/" on every system
    location: str  # where it is read from


class Inputs:
    """The images that `given` names, gone through once, in the order of the inputs, each folder sorted by path.

    A single folder's images are named relative to it; with more inputs than one the folder as given stands before
    them, so that names stay apart. A file or folder named outright is taken whatever its name.

    Args:
        given: files, folders, and "-" for a list of paths on stdin, one a line.
        hidden: take what is hidden in folders, or of the system, as well.

    Attributes:
        empty: those of the folders that hold no image.

    Raises:
        InputError: an input does not exist, or no folder holds an image and nothing else was given.
    """

    empty: list[str]

    def __init__(self, given: Sequence[str], *, hidden: bool = False) -> None:
        self._given = given
        self._hidden = hidden
        self._sieves: list[Sieve] = []
        self.empty = []
        self._files = chain.from_iterable([self._images_of(each) for each in given])
        if len(self.empty) == len(given):
            folders = "this folder" if len(given) == 1 else "these folders"
            looked = f"no images in {folders}; looked to the bottom for {', '.join(SUFFIXES)}"
            raise InputError("; ".join([f"{', '.join(given)}: {looked}", *self.passed_over()]))

    def __iter__(self) -> Iterator[ImageFile]:
        return self._files

    def passed_over(self) -> list[str]:
        """Returns a clause for each sort of thing that was passed over in folders as far as they were gone through."""
        return passed_over(self._sieves)

    def count(self) -> int | None:
        """Returns the number of all images, by a walk of its own; None where a list on stdin will show it."""
        if STDIN in self._given:
            return None
        folders = [Path(given) for given in self._given if Path(given).is_dir()]
        walks = [walk(folder, "", Sieve(hidden=self._hidden)) for folder in folders]
        return len(self._given) - len(folders) + sum(1 for images in walks for _ in images)

    def _images_of(self, given: str) -> Iterator[ImageFile]:
        """Returns the images of one input; of a folder the first was found when this returns."""
        if given == STDIN:
            if sys.stdin is None:
                raise InputError("stdin is closed; name images or a folder of images")
            from adscore.listed import listed_paths  # folders need none of it

            return (ImageFile(Path(path).as_posix(), path) for path in listed_paths(sys.stdin))
        try:
            mode = os.stat(given).st_mode  # noqa: PTH116 - for which an empty name is none
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
        self._sieves.append(Sieve(hidden=self._hidden))
        prefix = "" if len(self._given) == 1 else Path(given).as_posix().rstrip("/") + "/"
        images = walk(Path(given), prefix, self._sieves[-1])
        first = next(images, None)
        if first is None:
            self.empty.append(given)
            return iter(())
        return chain([first], images)


def walk(top: Path, prefix: str, sieve: Sieve) -> Iterator[ImageFile]:
    """Yields the images below `top` sorted by their whole names; linked folders are followed, loops are not.

    A folder is searched where it is, and through the first link to it; more links would multiply with each other.
    Holds the names of one folder at each depth and not of the whole tree, and which folders were searched by a link.

    Args:
        top: the folder, whatever its own name.
        prefix: stands before each name.
        sieve: tells which entries to take.
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
                keys = iter(()) if again else _list(pending.location, sieve)
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


def _list(folder: str, sieve: Sieve) -> Iterator[str]:
    """Returns the folder's images and folders sorted, as far as the sieve takes them.

    A folder's key ends in "/", which puts what is below it where its whole name belongs.
    """
    with os.scandir(folder) as entries:
        keys = (entry.name + "/" if _is_folder(entry) else entry.name for entry in entries)
        return packed_and_sorted(filter(sieve.takes, keys))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, say: as a file it becomes a row with that error
        return False
