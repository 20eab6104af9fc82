"""What the user himself says of the images in a folder: which of its folders are normal, and what to leave out."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from adscore.errors import InputError
from adtrain.layout import folder_of

TOP = "."


@dataclass(frozen=True)
class Selection:
    """What the user says, kept with the run; what he leaves open, the names of folders tell."""

    normal: tuple[str, ...] = ()  # folders whose images are the normal ones, relative to the data, "." for all of it
    exclude: tuple[str, ...] = ()  # patterns of names that are left out before anything else
    hidden: bool = False  # take hidden files and folders, and those of the system, as well

    def excludes(self, name: str) -> bool:
        """Returns whether a pattern matches: with "/" the name or a folder above it, without any one part of it."""
        return any(_matches(name, pattern) for pattern in self.exclude)

    def normal_folder(self, name: str) -> str | None:
        """Returns which of the normal folders an image lies in, None if in none."""
        folder = f"{folder_of(name)}/"
        return next((each for each in self.normal if each == TOP or folder.startswith(f"{each}/")), None)

    def check(self, data: str, names: Sequence[str]) -> None:
        """Raises InputError if a pattern or folder fits none of the images: a slip, which would change the training."""
        for pattern in self.exclude:
            if not any(_matches(name, pattern) for name in names):
                raise InputError(
                    f"{data}: --exclude {shlex.quote(pattern)} fits no image; give a pattern of names as they are "
                    f"within {data}, such as 'camera2/*' or '*_old.png'"
                )
        for folder in self.normal:
            only = Selection((folder,), self.exclude)
            if not any(only.normal_folder(name) and not only.excludes(name) for name in names):
                raise InputError(
                    f"{data}: --normal {shlex.quote(folder)} holds no image to train on; name a folder that does"
                )


BY_NAMES = Selection()  # the names of folders tell everything


def select(data: str | None, *, normal: Sequence[str], exclude: Sequence[str], hidden: bool = False) -> Selection:
    """Returns what the user says; he names folders as seen from where he is, or from `data`.

    Raises:
        InputError: `data` is no folder, or does not hold what `normal` names.
    """
    if not normal and not exclude:
        return Selection(hidden=hidden)
    if data is None or not Path(data).is_dir():
        raise InputError(
            f"{data or 'the bundled demo set'}: is no folder; --normal and --exclude choose among a folder's images"
        )
    return Selection(tuple(_below(data, folder) for folder in normal), tuple(exclude), hidden)


def _below(data: str, folder: str) -> str:
    """Returns the path, relative to `data`, of a folder within it."""
    top = os.path.abspath(data)  # noqa: PTH100 - resolve() would follow links, which may lead out of the data
    for path in (os.path.abspath(folder), os.path.abspath(Path(top) / folder)):  # noqa: PTH100
        if Path(path).is_dir() and Path(path).is_relative_to(top):
            return Path(path).relative_to(top).as_posix()
    raise InputError(f"{folder}: no such folder within {data}; --normal names a folder of normal images in it")


def _matches(name: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("./").rstrip("/")
    parts = name.split("/")
    if "/" in pattern:
        parts = ["/".join(parts[:number]) for number in range(1, len(parts) + 1)]
    return any(fnmatchcase(part, pattern) for part in parts)
