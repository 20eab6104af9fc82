"""File systems on which images were found, and whether they are still mounted where they were."""

import os
from collections.abc import Iterator
from pathlib import Path


class Mounts:
    """Where file systems were mounted that something was found on; an empty folder is left there without them."""

    def __init__(self) -> None:
        self._places: dict[int, str] = {}  # by device

    def add(self, device: int, location: str) -> None:
        """Takes in on which device something lies."""
        if device not in self._places:
            self._places[device] = _mount_point(os.path.realpath(location))

    def gone(self) -> Iterator[str]:
        """Yields the places, whole paths, where nothing is mounted any more."""
        for place in set(self._places.values()):
            if not os.path.ismount(place):
                yield place


def _mount_point(place: str) -> str:
    return next((str(above) for above in (Path(place), *Path(place).parents) if above.is_mount()), place)
