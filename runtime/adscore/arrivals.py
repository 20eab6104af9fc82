"""Which images in a folder are new and completely written: those that lay unchanged for a while."""

import os
import stat
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from adscore.inputs import ImageFile, walk
from adscore.mounts import Mounts
from adscore.outages import Unread
from adscore.seen import Seen, Version
from adscore.sieve import SUFFIXES, Sieve
from adscore.table import written_path

# So many are watched at a time; in a folder with more new ones, the others have their turn later.
_MOST_WAITING = 10_000
# A file that cannot be read may be half of one whose writer pauses, so it gets longer to change.
_PATIENCE = 10
_NO_SIZE = -1  # of what is no regular file, or cannot be looked at
_UNMOUNTED = "nothing is mounted there any more"


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
        hidden: take what is hidden or of the system as well.

    Attributes:
        unread: the folders that the last look could not read, by name; None if it did not come to the end.
    """

    unread: Mapping[str, Unread] | None = None

    def __init__(self, folder: str, seen: Seen, settle: float, *, hidden: bool) -> None:
        self._folder = Path(folder)
        self._seen = seen
        self._settle = settle
        self._hidden = hidden
        self._waiting: dict[str, _Waiting] = {}
        self._mounts = Mounts()
        self._sieve = Sieve(hidden=hidden)

    @property
    def pending(self) -> bool:
        """Whether there are images of which it is not known yet if they are complete."""
        return bool(self._waiting)

    @property
    def foreign(self) -> Counter[str]:
        """Pictures of kinds that are not read, by suffix, as the last look found them."""
        return self._sieve.foreign

    def look(self) -> list[ImageFile]:
        """Looks at the folder and returns the images that are complete, in order, at most ten thousand."""
        complete, waiting = [], {}
        unread: dict[str, Unread] = {}
        self.unread = None
        self._sieve = Sieve(hidden=self._hidden)
        for file, state in self._new_files(unread):
            before = self._waiting.get(file.name)
            if before is None or before.state != state:
                before = _Waiting(file.location, state, time.monotonic())
            elif self._is_quiet(before):
                complete.append(file)
            waiting[file.name] = before
            if len(waiting) == _MOST_WAITING:
                break
        else:
            self.unread = unread | self._unmounted()
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

    def _new_files(self, unread: dict[str, Unread]) -> Iterator[tuple[ImageFile, _State]]:
        seen, device = self._seen.has, None
        for file in walk(self._folder, "", self._sieve):
            state: _State | None
            try:
                status = os.stat(file.location)  # noqa: PTH116
            except OSError as error:
                # The walk names folders that it cannot read, and else images.
                if file.location == str(self._folder) or not file.name.lower().endswith(SUFFIXES):
                    unread[file.name] = Unread(file.location, error.strerror or str(error))
                    continue
                state = _state_of_none(error)
            else:
                if status.st_dev != device:  # mostly all are on one
                    device = status.st_dev
                    self._mounts.add(device, file.location)
                if stat.S_ISDIR(status.st_mode):
                    if (cause := _cause(file.location)) is not None:
                        unread[file.name] = Unread(file.location, cause)
                    continue
                state = _state_of(status)
            if state is not None and not seen(written_path(file.name), state.version):
                yield file, state

    def _unmounted(self) -> dict[str, Unread]:
        with suppress(OSError):
            self._mounts.add(self._folder.stat().st_dev, str(self._folder))
        top = os.path.realpath(self._folder)
        unread = {}
        for place in self._mounts.gone():
            if Path(top).is_relative_to(place):
                unread[self._folder.as_posix()] = Unread(str(self._folder), _UNMOUNTED)
            else:
                below = Path(place).is_relative_to(top)
                name = Path(place).relative_to(top).as_posix() if below else place
                unread[name] = Unread(str(self._folder / name), _UNMOUNTED)
        return unread


def _cause(folder: str) -> str | None:
    """Returns why a folder cannot be read; None if it can."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _state(location: str) -> _State | None:
    try:
        return _state_of(os.stat(location))  # noqa: PTH116
    except OSError as error:
        return _state_of_none(error)


def _state_of(status: os.stat_result) -> _State:
    # What is no regular file becomes a row with an error, once.
    regular = stat.S_ISREG(status.st_mode)
    version = (status.st_size, status.st_mtime_ns) if regular else (_NO_SIZE, stat.S_IFMT(status.st_mode))
    return _State(version, status.st_ino)


def _state_of_none(error: OSError) -> _State | None:
    """Returns the state of what cannot be looked at; None if it is gone meanwhile, or a link to nowhere yet."""
    return None if isinstance(error, FileNotFoundError) else _State((_NO_SIZE, error.errno or 0), 0)
