"""Which images in a folder are new and completely written: those that lay unchanged for a while."""

import os
import stat
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from adscore.inputs import ImageFile, walk
from adscore.seen import Seen
from adscore.sieve import Sieve
from adscore.table import written_path

# So many are watched at a time; in a folder with more new ones, the others have their turn later.
_MOST_WAITING = 10_000
# A file that cannot be read may be half of one whose writer pauses, so it gets longer to change.
_PATIENCE = 10

_State = tuple[int, int, int]  # size, time of the last change in nanoseconds, inode


@dataclass(frozen=True)
class _Waiting:
    state: _State
    since: float  # monotonic seconds at which it was first found so
    unreadable: bool = False  # it was complete by all appearance, and could not be read


class Arrivals:
    """The new images of a folder.

    Args:
        folder: searched to the bottom at each look.
        seen: names, as a table has them, that are no longer new; grows.
        settle: seconds that an image has to lie unchanged, in size, time and place, to count as completely written.
        hidden: take what is hidden or of the system as well.
    """

    def __init__(self, folder: str, seen: Seen, settle: float, *, hidden: bool) -> None:
        self._folder = Path(folder)
        self._seen = seen
        self._settle = settle
        self._hidden = hidden
        self._waiting: dict[str, _Waiting] = {}
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
        self._sieve = Sieve(hidden=self._hidden)
        for file, state in self._new_files():
            before = self._waiting.get(file.name)
            if before is None or before.state != state:
                before = _Waiting(state, time.monotonic())
            elif self._is_quiet(before):
                complete.append(file)
            waiting[file.name] = before
            if len(waiting) == _MOST_WAITING:
                break
        self._waiting = waiting
        return complete

    def is_done(self, name: str, *, readable: bool) -> bool:
        """Takes in whether a complete image could be read, and returns whether that is the last word on it."""
        if not readable and not self._waiting[name].unreadable:
            self._waiting[name] = replace(self._waiting[name], unreadable=True)
            return False
        return True

    def forget(self, name: str) -> None:
        """Takes an image for seen."""
        del self._waiting[name]
        self._seen.add(written_path(name))

    def _is_quiet(self, waiting: _Waiting) -> bool:
        return time.monotonic() - waiting.since >= self._settle * (_PATIENCE if waiting.unreadable else 1)

    def _new_files(self) -> Iterator[tuple[ImageFile, _State]]:
        for file in walk(self._folder, "", self._sieve):
            if written_path(file.name) in self._seen:
                continue
            try:
                status = os.stat(file.location)  # noqa: PTH116
            except OSError:  # gone meanwhile, or a link to nowhere yet
                continue
            if stat.S_ISREG(status.st_mode):
                yield file, (status.st_size, status.st_mtime_ns, status.st_ino)
