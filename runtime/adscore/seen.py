"""Which versions of which images were met before, millions of them in eight bytes each."""

from array import array
from bisect import bisect_left

import numpy as np

Version = tuple[int, int]  # of a file: its size and the time of its last change in nanoseconds

# So many lie in a set, which takes ten times as much for each, before they are sorted in among the rest.
_MOST_RECENT = 1 << 16


class Seen:
    """A set of versions of images that only grows.

    It holds hashes of 64 bits: with a million in it, a new one passes for met once in 18 million million times.
    """

    def __init__(self) -> None:
        self._sorted = array("q")
        self._recent: set[int] = set()

    def add(self, name: str, version: Version) -> None:
        """Takes a version in."""
        self._recent.add(hash((name, version)))
        if len(self._recent) >= _MOST_RECENT:
            recent = np.fromiter(self._recent, np.int64, len(self._recent))
            merged = np.sort(np.concatenate([np.array(self._sorted, np.int64), recent]), kind="stable")
            self._sorted = array("q", merged.tobytes())
            self._recent.clear()

    def has(self, name: str, version: Version) -> bool:
        """Returns whether it was taken in."""
        value = hash((name, version))
        if value in self._recent:
            return True
        place = bisect_left(self._sorted, value)
        return place < len(self._sorted) and self._sorted[place] == value
