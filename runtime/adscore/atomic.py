"""Files and folders that appear when they are complete: made in a hidden folder beside their place, then renamed.

A link is followed: the place is where it leads to, so that what has two names is still one place.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path

from adscore.errors import OutputError
from adscore.exchange import exchange
from adscore.placing import TornError, check_place, give_mode_and_owner, take_the_place
from adscore.refusals import real_place, refuse_existing, refusing
from adscore.workplace import clear_dead, workplace


@contextmanager
def appears_when_complete(target: Path) -> Iterator[Path]:
    """Yields a hidden path to write a file to, which nobody else has; at the end it takes the place of `target`.

    After a failure nothing new is left behind, and what stood at `target` before still stands there. Folders above
    `target` are made. Of two that make one file at the same time both end whole, and the later one stays.

    Raises:
        OutputError: it cannot be written. OSErrors of other files than the one written here are left as they are.
    """
    place = real_place(target)
    with _making(target, place) as folder:
        made = folder / place.name
        with refusing(target):
            check_place(place)
            clear_dead(place, folder)
        with refusing(target, folder):
            yield made
        try:
            with refusing(target):
                take_the_place(made, place)
        except TornError as error:
            raise OutputError(
                f"{target}: was written over in part ({error.reason}); all of it lies in {_rescued(made, place)}"
            ) from error


@contextmanager
def folder_appears_when_complete(target: Path, *, force: bool, contents: tuple[str, ...]) -> Iterator[Path]:
    """Yields a new hidden folder, which nobody else has; at the end it takes the place of `target`.

    After a failure nothing new is left behind, and what stood at `target` before still stands there. Folders above
    `target` are made.

    Args:
        target: the folder to be.
        force: replace what is there.
        contents: patterns of all that such a folder holds, so that nothing else is ever replaced.

    Raises:
        OutputError: what is there must stay, another process makes the folder as well, or it cannot be written.
            OSErrors of other files than those written here are left as they are.
    """
    refuse_existing(target, force=force, contents=contents)
    place = real_place(target)
    with _making(target, place) as folder:
        made = folder / place.name
        with refusing(target):
            if clear_dead(place, folder):
                raise OutputError(f"{target}: another command makes it; wait until it ends, or choose another --out")
            made.mkdir()
        with refusing(target, folder):
            yield made
        try:
            # By another hand, or on a disk without locks, something may stand there now that did not before.
            refuse_existing(target, force=force, contents=contents)
        except OutputError as error:
            raise OutputError(f"{error}; what was made lies in {_rescued(made, place)}") from error
        with refusing(target):
            _take_the_place_of_a_folder(made, place)


def append_whole(file: FileIO, content: bytes, *, sync: bool) -> None:
    """Adds to the end of a file all of `content`, or nothing of it.

    Args:
        file: open for writing at its end.
        content: what to add.
        sync: return only when it is on the disk.

    Raises:
        OSError: it cannot be written.
    """
    end = file.seek(0, os.SEEK_END)
    unwritten = memoryview(content)
    try:
        while unwritten:
            unwritten = unwritten[file.write(unwritten) :]
        if sync:
            os.fsync(file.fileno())
    except BaseException:
        file.truncate(end)
        raise


@contextmanager
def _making(target: Path, place: Path) -> Iterator[Path]:
    """Yields the hidden folder in which `place` is made."""
    with ExitStack() as stack:
        with refusing(target):
            place.parent.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(workplace(place))
        yield folder


def _rescued(made: Path, place: Path) -> Path:
    """Gives what was made a name for everyone to see, and returns it."""
    token = made.parent.name.rpartition("-")[2].partition(".")[0]
    kept = place.with_name(f"{place.stem[:50]}-{token}{place.suffix}")
    made.rename(kept)
    return kept


def _take_the_place_of_a_folder(made: Path, place: Path) -> None:
    if not place.exists():
        made.rename(place)
        return
    before = made
    if not exchange(made, place):
        # A process that ends between these two leaves the old folder under this name, which nobody else ever removes.
        before = made.parent.with_suffix(".replaced")
        place.rename(before)
        try:
            made.rename(place)
        except BaseException:
            before.rename(place)
            raise
    give_mode_and_owner(before, place)
    shutil.rmtree(before, ignore_errors=True)
