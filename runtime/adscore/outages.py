"""Folders that a watch cannot read: said when that begins and when it ends, and a row each time."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Unread(NamedTuple):
    """A folder that cannot be read."""

    location: str
    cause: str  # in the system's words


@dataclass
class _Outage:
    location: str
    since: float  # monotonic seconds
    said: bool = False


class Outages:
    """What cannot be read at the moment.

    Args:
        settle: seconds that it has to last; a folder that is put in another's place is gone for a moment.
        say: takes a line when one begins, and when it ends.
    """

    def __init__(self, settle: float, say: Callable[[str], None]) -> None:
        self._settle = settle
        self._say = say
        self._now: dict[str, _Outage] = {}

    @property
    def pending(self) -> bool:
        """Whether there are some of which it is not known yet if they last."""
        return not all(outage.said for outage in self._now.values())

    def update(self, unread: Mapping[str, Unread]) -> list[tuple[str, str]]:
        """Takes in what a look could not read, by name, and returns names and causes of what has begun."""
        for name in self._now.keys() - unread.keys():
            ended = self._now.pop(name)
            if ended.said:
                what = "can be read again" if os.path.lexists(ended.location) else "is no longer there"
                self._say(f"{ended.location}: {what}")
        begun = []
        for name, (location, cause) in unread.items():
            outage = self._now.setdefault(name, _Outage(location, time.monotonic()))
            if not outage.said and time.monotonic() - outage.since >= self._settle:
                outage.said = True
                self._say(f"{location}: cannot be read ({cause}); the watch goes on, and looks again")
                begun.append((name, cause))
        return begun
