"""How numbers of images, and the folders that they lie in, are told in one line."""

from collections import Counter
from collections.abc import Iterable

NAMED = 5  # in a line; the rest is a number


def listed(names: Iterable[str]) -> str:
    """Returns the first names, each once, and the number of the others."""
    each = list(dict.fromkeys(names))
    return ", ".join(each[:NAMED]) + (f" and {len(each) - NAMED} more" if len(each) > NAMED else "")


def counted(number: int, what: str) -> str:
    """Returns a number of things, in the singular or plural."""
    first, space, rest = what.partition(" beside its picture")
    plural = f"{first[:-1]}ies" if first.endswith("y") else f"{first}s"
    return f"{number} {what}" if number == 1 else f"{number} {plural}{' beside their pictures' if space else rest}"


def folders_told(counts: Counter[str]) -> str:
    """Returns where images lie, with their numbers; nothing if all lie at the top."""
    if set(counts) <= {""}:
        return ""
    if len(counts) == 1:
        return f" in {next(iter(counts))}"
    told = [f"{count} in {folder or 'its top'}" for folder, count in counts.items()]
    more = sum(list(counts.values())[NAMED:])
    return ": " + ", ".join(told[:NAMED]) + (f", {more} in {len(counts) - NAMED} more" if more else "")
