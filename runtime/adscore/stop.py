"""Ctrl-C, SIGTERM and SIGHUP ask a run to end: what is in hand is finished; the second of them ends it at once."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType, TracebackType
from typing import Any, Self

from adscore.signals import HANGUP, code_of, heeded


class Stop:
    """Notices Ctrl-C, SIGTERM and SIGHUP while it is entered.

    Attributes:
        code: the exit code that a shell gives the signal, 129, 130 or 143; None while there was none.
    """

    code: int | None = None

    def __init__(self) -> None:
        self._at_once = self._held = self._overdue = False
        self._before: dict[signal.Signals, Any] = {}  # handlers

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._notice) for number in heeded()}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def cuts_short(self, action: Callable[[], object]) -> None:
        """Runs what may wait for others, and breaks it off at a signal; does not begin it after one."""
        try:
            self._at_once = True
            if self.code is None:
                action()
            self._at_once = False
        except SystemExit:
            if self.code is None:
                raise
        finally:
            self._at_once = False

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Lets a second signal end the run only after what has to be whole to be undone."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._overdue:
            self.check()

    def sleep(self, seconds: float) -> None:
        """Waits so long, or until a signal."""
        self.cuts_short(partial(time.sleep, seconds))

    def check(self) -> None:
        """Ends the run if a signal asked for it.

        Raises:
            SystemExit: it did.
        """
        if self.code is not None:
            raise SystemExit(self.code)

    def _notice(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # A terminal that closes sends SIGHUP more than once, its shell too; that is nobody's impatience.
        again = self.code is not None and number != HANGUP
        self.code = code_of(number)
        if self._held:
            self._overdue = again or self._overdue
        elif again or self._at_once:
            raise SystemExit(self.code)
