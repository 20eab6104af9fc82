"""Waiting until something changes in a folder: by the system's own notice where `watchfiles` is installed."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from adscore.stop import Stop

# A notice may be lost, and some network shares give none, so now and then a look is due without one.
_MOST_SECONDS = 5.0
_TICK = 0.2  # seconds until a stop is noticed


class Changes:
    """Notices of changes in a folder, from its making on.

    Args:
        folder: watched to the bottom.
        stop: ends every wait.
    """

    def __init__(self, folder: str, stop: Stop) -> None:
        self._folder = folder
        self._stop = stop
        self._place = _place(folder)
        self._notices = self._begun()

    def wait(self, look: float, poll: float) -> None:
        """Returns after a change, or when a look is due anyway.

        Args:
            look: seconds that the last look took; the longer it takes, the rarer it is.
            poll: seconds between looks without notices.
        """
        before, self._place = self._place, _place(self._folder)
        if self._place != before:  # what took its place needs notices of its own
            self._notices = self._begun()
        if self._notices is None:
            self._stop.sleep(max(poll, 4 * look))
            return
        due = time.monotonic() + max(_MOST_SECONDS, 20 * look)
        while self._stop.code is None and time.monotonic() < due:
            try:
                changes = next(self._notices)
            except (OSError, RuntimeError, StopIteration):  # of a name that is not UTF-8, say, which is a change too
                self._notices = self._begun()
                return
            if changes:
                return

    def _begun(self) -> Iterator[Any] | None:
        """Returns an endless iterator over sets of changes; None if there are no notices here."""
        try:
            from watchfiles import watch  # the extra `watch`
        except ImportError:
            return None
        # It asks for notices along every path of links, of which folders that are linked to each other have n!.
        if sys.platform != "win32" and _holds_linked_folder(self._folder):
            return None
        notices: Iterator[Any] = watch(
            self._folder, watch_filter=None, debounce=200, rust_timeout=int(_TICK * 1000), yield_on_timeout=True,
            raise_interrupt=False,
        )  # fmt: skip
        # The system watches no more folders, say, or the name of this one is no UTF-8.
        with suppress(OSError, RuntimeError, StopIteration, ValueError):
            next(notices)  # the first begins the watch
            return notices
        return None


def _place(folder: str) -> tuple[int, int] | None:
    with suppress(OSError):
        status = os.stat(folder)  # noqa: PTH116
        return status.st_dev, status.st_ino
    return None


def _holds_linked_folder(top: str) -> bool:
    folders = [top]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:  # one that cannot be read has no notices either
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_symlink() and os.path.isdir(entry.path):  # noqa: PTH112 - which never raises
                    return True
    return False
