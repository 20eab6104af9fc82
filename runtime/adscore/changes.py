"""Waiting until something changes in a folder: by the system's own notice where `watchfiles` is installed."""

import time
from collections.abc import Iterator
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
        self._stop = stop
        self._notices: Iterator[Any] | None = None
        try:
            from watchfiles import watch  # the extra `watch`
        except ImportError:
            return
        notices = watch(
            folder, watch_filter=None, debounce=200, rust_timeout=int(_TICK * 1000), yield_on_timeout=True,
            raise_interrupt=False,
        )  # fmt: skip
        try:
            next(notices)  # the first begins the watch
        except (OSError, RuntimeError, StopIteration):  # the system watches no more folders, say
            return
        self._notices = notices

    def wait(self, look: float, poll: float) -> None:
        """Returns after a change, or when a look is due anyway.

        Args:
            look: seconds that the last look took; the longer it takes, the rarer it is.
            poll: seconds between looks without notices.
        """
        if self._notices is None:
            self._stop.sleep(max(poll, 4 * look))
            return
        due = time.monotonic() + max(_MOST_SECONDS, 20 * look)
        while self._stop.code is None and time.monotonic() < due:
            changes = next(self._notices, None)
            if changes:
                return
            if changes is None:
                self._notices = None
                return
