"""Many names in order in little memory: a folder with a million files shall not take a hundred megabytes."""

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice

_RUN = 8192
_END = "\0"  # no file's name holds it


def packed_and_sorted(names: Iterable[str]) -> Iterator[str]:
    """Returns the names in order; all of them are read at once, and kept as letters until they are asked for.

    A string of Python takes some 60 bytes more than its letters. So runs of some thousand names are sorted and packed,
    and merged as they are read.

    Args:
        names: of files, as `os.scandir` gives them.
    """
    pending = iter(names)
    runs = []
    while run := sorted(islice(pending, _RUN)):
        runs.append(_END.join([*run, ""]))
    return heapq.merge(*map(_unpacked, runs))


def _unpacked(run: str) -> Iterator[str]:
    start = 0
    while (end := run.find(_END, start)) >= 0:
        yield run[start:end]
        start = end + 1
