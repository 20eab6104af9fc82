"""A progress bar on a terminal, nothing anywhere else; always on stderr, since stdout belongs to the data."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[], None]


@contextmanager
def progress_bar(what: str, total: int | None, *, visible: bool | None = None) -> Iterator[Advance]:
    """Yields a function to call after each of `total` steps (None: a number not known).

    Args:
        what: stands before the bar.
        total: number of steps.
        visible: by default, whether stderr is a terminal.
    """
    if not (sys.stderr.isatty() if visible is None else visible):
        yield lambda: None
        return
    # Here and not above: rich takes longer to import than everything else on this path, and pipes never need it.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
