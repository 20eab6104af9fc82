"""Which images in a folder are new and completely written: those that lay unchanged for a while."""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from adscore.inputs import ImageFile, walk
from adscore.seen import Seen, Version
from adscore.table import written_path

# So many are watched at a time; in a folder with more new ones, the others have their turn later.
_MOST_WAITING = 10_000
# A file that cannot be read may be half of one whose writer pauses, so it gets longer to change.
_PATIENCE = 10


class _State(NamedTuple):
    version: Version
    inode: int


@dataclass(frozen=True)
class _Waiting:
    location: str
    state: _State
    since: float  # monotonic seconds at which it was first found so
    unreadable: bool = False  # it was complete by all appearance, and could not be read


class Arrivals:
    """The new images of a folder.

    Args:
        folder: searched to the bottom at each look.
        seen: versions of images, by their names as a table has them, that are no longer new; grows.
        settle: seconds that an image has to lie unchanged, in size, time and place, to count as completely written.
    """

    def __init__(self, folder: str, seen: Seen, settle: float) -> None:
        self._folder = Path(folder)
        self._seen = seen
        self._settle = settle
        self._waiting: dict[str, _Waiting] = {}

    @property
    def pending(self) -> bool:
        """Whether there are images of which it is not known yet if they are complete."""
        return bool(self._waiting)

    def look(self) -> list[ImageFile]:
        """Looks at the folder and returns the images that are complete, in order, at most ten thousand."""
        complete, waiting = [], {}
        for file, state in self._new_files():
            before = self._waiting.get(file.name)
            if before is None or before.state != state:
                before = _Waiting(file.location, state, time.monotonic())
            elif self._is_quiet(before):
                complete.append(file)
            waiting[file.name] = before
            if len(waiting) == _MOST_WAITING:
                break
        self._waiting = waiting
        return complete

    def is_done(self, name: str, *, readable: bool) -> bool:
        """Takes in whether a complete image could be read, and returns whether that is the last word on it."""
        waiting = self._waiting[name]
        state = _state(waiting.location)
        if state not in (waiting.state, None):  # it changed while it was read, so it was not complete
            self._waiting[name] = _Waiting(waiting.location, state, time.monotonic())
            return False
        if not readable and not waiting.unreadable:
            self._waiting[name] = replace(waiting, unreadable=True)
            return False
        return True

    def version(self, name: str) -> Version:
        """Returns the version of an image that is complete."""
        return self._waiting[name].state.version

    def forget(self, name: str) -> None:
        """Takes the version for seen."""
        self._seen.add(written_path(name), self._waiting.pop(name).state.version)

    def _is_quiet(self, waiting: _Waiting) -> bool:
        return time.monotonic() - waiting.since >= self._settle * (_PATIENCE if waiting.unreadable else 1)

    def _new_files(self) -> Iterator[tuple[ImageFile, _State]]:
        for file in walk(self._folder, ""):
            state = _state(file.location)
            if state is not None and not self._seen.has(written_path(file.name), state.version):
                yield file, state


def _state(location: str) -> _State | None:
    """Returns the state of a regular file; None if there is none: it is gone meanwhile, or a link to nowhere yet."""
    try:
        status = os.stat(location)  # noqa: PTH116
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return _State((status.st_size, status.st_mtime_ns), status.st_ino)
