"""How both commands end: a known fault is one `error:` line and exit 1, an unknown one keeps its traceback."""

import os
import signal
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import NoReturn

import typer

from adscore.errors import ADError, printable
from adscore.signals import code_of, heeded
from adscore.spec import MAX_FLOAT32

EXIT_USAGE = 2
EXIT_NO_READER = 141  # what a shell calls the end by SIGPIPE, which other tools find when `| head` has enough


def run(app: typer.Typer, *, at_once: bool = False) -> NoReturn:
    """Runs `app` with the command line's arguments and exits.

    Args:
        app: the command.
        at_once: end without taking all modules apart first, which costs a sixth of the time that one image takes; for a
            command that leaves nothing to be tidied up.
    """
    _refuse_empty(sys.argv[1:])
    # As an exception a signal lets what is half written be removed; 128 and its number is what a shell calls it.
    for number in heeded() - {signal.SIGINT}:
        signal.signal(number, lambda number, _: sys.exit(code_of(number)))
    # Pillow's remarks on odd files; what matters of them becomes a row's error or a refusal.
    warnings.filterwarnings("ignore", module="PIL")
    # A locale that lacks a character shall not end the run; tables that are data have an encoding of their own.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer and Rich end so, with 1, where a reader has gone
            os._exit(EXIT_NO_READER)  # what is still in a buffer would fail once more
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


def _refuse_empty(arguments: Sequence[str]) -> None:
    """Ends with a usage error if an argument is empty: pathlib would take it for the current folder.

    An empty value means nothing for any option, so all are seen to here; mostly it is a variable that is not set.
    """
    for before, argument in zip(["the command", *arguments], arguments, strict=False):
        option, _, value = argument.partition("=")
        if not argument or (option.startswith("--") and option != argument and not value):
            what = option or f"the argument after {before}"
            say(f"error: {what} is empty; give it a value, . for the current folder")
            sys.exit(EXIT_USAGE)


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


def say(line: str) -> None:
    """Prints one line on stderr, without control characters that names of files may hold."""
    typer.echo(printable(line), err=True)


def fail(message: str) -> NoReturn:
    """Prints one `error:` line on stderr and exits 1."""
    say(f"error: {' '.join(message.splitlines())}")
    sys.exit(1)
