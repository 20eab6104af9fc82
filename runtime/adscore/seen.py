"""The names that were met before, millions of them in eight bytes each."""

from array import array
from bisect import bisect_left

import numpy as np

# So many lie in a set, which takes ten times as much a name, before they are sorted in among the rest.
_MOST_RECENT = 1 << 16


class Seen:
    """A set of names that only grows.

    It holds hashes of 64 bits: with a million names in it, a new one passes for met once in 18 million million times.
    """

    def __init__(self) -> None:
        self._sorted = array("q")
        self._recent: set[int] = set()

    def add(self, name: str) -> None:
        """Takes a name in."""
        self._recent.add(hash(name))
        if len(self._recent) >= _MOST_RECENT:
            recent = np.fromiter(self._recent, np.int64, len(self._recent))
            merged = np.sort(np.concatenate([np.array(self._sorted, np.int64), recent]), kind="stable")
            self._sorted = array("q", merged.tobytes())
            self._recent.clear()

    def __contains__(self, name: str) -> bool:
        value = hash(name)
        if value in self._recent:
            return True
        place = bisect_left(self._sorted, value)
        return place < len(self._sorted) and self._sorted[place] == value
