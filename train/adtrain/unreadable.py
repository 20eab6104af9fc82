"""How adtrain tells of images that could not be read and were left out."""

from collections.abc import Sequence

_NAMED = 10


def unreadable_lines(faults: Sequence[str]) -> list[str]:
    """Returns a line for each of the faults, "path: cause", the first ten by name and the rest as a number."""
    lines = [f"left out, unreadable: {fault}" for fault in faults[:_NAMED]]
    more = len(faults) - len(lines)
    return [*lines, f"left out, unreadable: {more} more"] if more else lines
