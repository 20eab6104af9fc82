"""A progress bar on a terminal, nothing anywhere else; always on stderr, since stdout belongs to the data."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

_REFRESH = 0.1  # seconds


class Advance(Protocol):
    """Moves the bar."""

    def __call__(self, steps: int = 1) -> None:
        """Adds so many steps to those done."""


def is_terminal(stream: TextIO | None) -> bool:
    """Returns whether someone may be looking; a stream that was closed before the start is None."""
    return stream is not None and stream.isatty()


@contextmanager
def progress_bar(what: str, total: int | None, *, visible: bool | None = None) -> Iterator[Advance]:
    """Yields a function to call as any of `total` steps (None: a number not known) are done.

    Args:
        what: stands before the bar.
        total: number of steps.
        visible: by default, whether stderr is a terminal.
    """
    if not (is_terminal(sys.stderr) if visible is None else visible):
        yield lambda steps=1: None  # noqa: ARG005
        return
    # Here and not above: rich takes longer to import than everything else on this path, and pipes never need it.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    # Without a thread of its own, so that worker processes can be forked; so it is refreshed here, and not too often.
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task(what, total=total)
        shown = 0.0

        def advance(steps: int = 1) -> None:
            nonlocal shown
            bar.advance(task, steps)
            if (now := time.monotonic()) - shown > _REFRESH:
                shown = now
                bar.refresh()

        yield advance
