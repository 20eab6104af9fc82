"""Files and folders that appear when they are complete: written beside their place, then renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adscore.errors import OutputError


@contextmanager
def appears_when_complete(target: Path) -> Iterator[Path]:
    """Yields a hidden path beside `target` to write a file or a folder to; at the end it takes the target's name.

    After a failure nothing new is left behind, and what stood at `target` before still stands there. Folders above
    `target` are made.

    Raises:
        OutputError: for any OSError while the path is in use, since it is in use for writing.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    replaced = target.with_name(f".{target.name}.{os.getpid()}.replaced")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        if target.is_dir() and partial.is_dir():  # a rename replaces a file, but not a folder with something in it
            target.rename(replaced)
        partial.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror or error}); choose another --out") from error
    finally:
        for leftover in (partial, replaced):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            elif leftover.is_file():
                leftover.unlink()


def refuse_existing(folder: Path, *, force: bool, marker: str) -> None:
    """Makes sure that `folder` may be written: it is not there, or `force` says to replace it and it is one of ours.

    Args:
        folder: the place asked for.
        force: replace what is there.
        marker: a file that every folder of this kind holds, so that --force cannot remove anything else.

    Raises:
        OutputError: the folder must stay.
    """
    if not folder.exists():
        return
    if not force:
        raise OutputError(f"{folder}: exists already; choose another --out, or replace it with --force")
    if not (folder / marker).is_file():
        raise OutputError(f"{folder}: holds no {marker}, so --force does not replace it; choose another --out")
