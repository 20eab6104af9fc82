"""Files and folders that appear when they are complete: written beside their place, then renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def appears_when_complete(target: Path) -> Iterator[Path]:
    """Yields a hidden path beside `target` to write a file or a folder to; at the end it takes the target's name.

    After a failure nothing new is left behind, and what stood at `target` before still stands there.

    Raises:
        OSError: the place cannot be written to.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    replaced = target.with_name(f".{target.name}.{os.getpid()}.replaced")
    try:
        yield partial
        if target.is_dir():  # a rename replaces a file, but not a folder with something in it
            target.rename(replaced)
        partial.replace(target)
    finally:
        for leftover in (partial, replaced):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)
