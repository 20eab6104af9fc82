"""How both commands end: a known fault is one `error:` line and exit 1, an unknown one keeps its traceback."""

import sys
import warnings
from typing import NoReturn

import typer

from adscore.errors import ADError


def run(app: typer.Typer) -> NoReturn:
    """Runs `app` with the command line's arguments and exits."""
    # Pillow's remarks on odd files; what matters of them becomes a row's error or a refusal.
    warnings.filterwarnings("ignore", module="PIL")
    try:
        app()
    except ADError as error:
        fail(str(error))
    sys.exit(0)


def fail(message: str) -> NoReturn:
    """Prints one `error:` line on stderr and exits 1."""
    typer.echo(f"error: {' '.join(message.splitlines())}", err=True)
    sys.exit(1)
