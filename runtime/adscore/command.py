"""How both commands end: a known fault is one `error:` line and exit 1, an unknown one keeps its traceback."""

import os
import signal
import sys
import warnings
from contextlib import suppress
from io import TextIOWrapper
from typing import NoReturn

import typer

from adscore.errors import ADError, printable
from adscore.spec import MAX_FLOAT32


def run(app: typer.Typer, *, at_once: bool = False) -> NoReturn:
    """Runs `app` with the command line's arguments and exits.

    Args:
        app: the command.
        at_once: end without taking all modules apart first, which costs a sixth of the time that one image takes; for a
            command that leaves nothing to be tidied up.
    """
    # As an exception SIGTERM lets what is half written be removed; 128 + 15 is what a shell calls it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Pillow's remarks on odd files; what matters of them becomes a row's error or a refusal.
    warnings.filterwarnings("ignore", module="PIL")
    # A locale that lacks a character shall not end the run; tables that are data have an encoding of their own.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except SystemExit as end:
        if at_once and isinstance(end.code, int):
            _end(end.code)
        raise
    except ADError as error:
        fail(str(error))
    except OSError as error:  # a path that may not be looked at, a full disk: the system's words are the cause
        fail(
            f"{error.filename or 'the system'}: {error.strerror or error}; check the path, its permissions and the disk"
        )
    sys.exit(0)


def _end(code: int) -> None:
    """Ends the process, unless what was printed cannot be written; then Python's own way out has words for it."""
    with suppress(OSError, ValueError):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)


def check_threshold(value: float | None) -> None:
    """Raises a usage error if a threshold was given that no score can be compared with."""
    if value is not None and not abs(value) <= MAX_FLOAT32:
        raise typer.BadParameter(f"{value} is no threshold; give a finite number", param_hint="--threshold")


def fail(message: str) -> NoReturn:
    """Prints one `error:` line on stderr and exits 1."""
    typer.echo(f"error: {printable(' '.join(message.splitlines()))}", err=True)
    sys.exit(1)
