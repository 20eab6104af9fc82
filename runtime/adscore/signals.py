"""The signals that ask a run to end: Ctrl-C, SIGTERM, and SIGHUP, which comes when the terminal is gone."""

import os
import signal

# None where the system has no such signal.
HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)
STOPS = frozenset({signal.SIGINT, signal.SIGTERM} | ({HANGUP} if HANGUP is not None else set()))


def heeded() -> frozenset[signal.Signals]:
    """Returns those to listen to: SIGHUP stays ignored where it was, which is what nohup is for."""
    return frozenset(number for number in STOPS if number != HANGUP or signal.getsignal(number) != signal.SIG_IGN)


def code_of(number: int) -> int:
    """Returns the exit code that a shell gives the signal, on whose arrival this is asked.

    Where the terminal is gone, what would still be said goes nowhere; or it would be a fault, and the code another.
    """
    if number == HANGUP:
        for descriptor in (1, 2):
            try:
                os.write(descriptor, b"")
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    return 128 + number
