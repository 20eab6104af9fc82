"""Scores kept on disk until the table is complete, so that a run that is stopped, however hard, goes on where it was.

They lie in a hidden file beside the table, which is also the run's lock: one line of settings, then a line for each
batch, with the names and the scores of the images that have one, each with its checksum. It only ever grows; from the
first line on that a power cut, a full disk or a failing one has left in pieces it is cut off.
"""

import math
import sys
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adscore.atomic import append_whole
from adscore.checked_lines import line_of, value_of
from adscore.errors import OutputError
from adscore.file_names import all_as_utf8
from adscore.locked import is_at, open_locked
from adscore.refusals import real_place, refuse_no_file, refusing
from adscore.workplace import hidden_beside

Settings = dict[str, str]  # what the rows depend on: words of the user for what it is -> its value

# What was written since is scored again after a power cut; a process that ends, by whatever signal, loses nothing.
_SECONDS_UNSYNCED = 5.0


class KeptScores:
    """The scores of one table that is not complete yet; of each that an earlier run kept, 16 bytes are in memory.

    Args:
        path: the hidden file.
        file: the same, opened and locked.

    Attributes:
        settings: those of the run that began the file; empty if there was none.
        images: number of images whose scores are kept.
    """

    settings: Settings
    images: int

    def __init__(self, path: Path, file: FileIO) -> None:
        self._path = path
        self._file = file
        # Closing it would end the lock, so it stays open as long as the other.
        self._reader = path.open("rb")
        self._synced = time.monotonic()
        self._line: tuple[int, dict[str, float]] = (-1, {})
        self._read()

    def close(self) -> None:
        """Ends the lock."""
        self._reader.close()
        self._file.close()

    def remove(self) -> None:
        """Removes the file, unless another bears its name by now, and ends the lock."""
        ours = is_at(self._file, self._path)
        if sys.platform == "win32":  # which removes no file that is open
            self.close()
        if ours:
            self._path.unlink(missing_ok=True)
        self.close()

    def begin(self, settings: Settings) -> None:
        """Forgets what was kept, and begins anew with what the scores to come depend on."""
        self._file.truncate(0)
        self._index(array("q"), array("q"))
        self._append(settings)
        self.settings = settings

    def find(self, names: Sequence[str]) -> NDArray[np.float32] | None:
        """Returns the scores that an earlier run kept, float32 of shape (n,), NaN where there is none, or None."""
        if not self._hashes.size:
            return None
        names = all_as_utf8(names)
        scores = np.full(len(names), np.nan, np.float32)
        hashes = np.array([hash(name) for name in names], np.int64)
        firsts, ends = (np.searchsorted(self._hashes, hashes, side).tolist() for side in ("left", "right"))
        for index, (first, end) in enumerate(zip(firsts, ends, strict=True)):
            for place in self._places[first:end].tolist():  # more than one if names share a hash
                scores[index] = self._batch_at(place).get(names[index], scores[index])
        return None if np.isnan(scores).all() else scores

    def add(self, names: Sequence[str], scores: NDArray[np.float32]) -> None:
        """Keeps scores, float32 of shape (n,); an image without one, NaN, is tried again by the next run."""
        numbers = zip(all_as_utf8(names), scores.tolist(), strict=True)
        found = {name: score for name, score in numbers if not math.isnan(score)}
        if found:
            self._append(found)
            self.images += len(found)

    def _batch_at(self, place: int) -> dict[str, float]:
        """Returns the scores by name in the line that begins there; what is asked for next is mostly in the same."""
        if self._line[0] != place:
            self._reader.seek(place)
            self._line = place, value_of(self._reader.readline())
        return self._line[1]

    def _append(self, value: Mapping[str, str | float]) -> None:
        due = time.monotonic() - self._synced > _SECONDS_UNSYNCED
        append_whole(self._file, line_of(value), sync=due)
        if due:
            self._synced = time.monotonic()

    def _read(self) -> None:
        """Reads what is there as far as it is whole, and cuts off the rest."""
        self.settings = {}
        hashes, places = array("q"), array("q")
        end = 0
        with suppress(ValueError):
            for line in self._reader:
                value = value_of(line)
                if end == 0:
                    self.settings = value
                else:
                    hashes.extend(map(hash, value))
                    places.extend([end] * len(value))
                end += len(line)
        self._file.truncate(end)
        self._index(hashes, places)

    def _index(self, hashes: "array[int]", places: "array[int]") -> None:
        # asarray copies nothing.
        order = np.argsort(np.asarray(hashes))
        self._hashes, self._places = np.asarray(hashes)[order], np.asarray(places)[order]
        self.images = len(places)


@contextmanager
def keep_scores(out: Path, settings: Settings, *, resume: bool | None) -> Iterator[KeptScores]:
    """Yields what is kept of the table `out` while it is made, and removes it when the table is complete.

    After a fault, what was scored stays. If nothing was, nothing is left behind.

    Args:
        out: the table; no other run may make it meanwhile.
        settings: what its rows depend on.
        resume: go on with what an earlier run kept; False starts anew; None refuses if there is anything.

    Raises:
        OutputError: another run makes the table, or one with other settings was stopped; nothing can be written there.
    """
    path = hidden_beside(real_place(out), "scores")
    with refusing(out):
        path.parent.mkdir(parents=True, exist_ok=True)
        refuse_no_file(out)  # whose folder has to be there to know how long a name it takes
        file = open_locked(path)
    if file is None:
        raise OutputError(f"{out}: another run is writing it; wait until it ends, or choose another --out")
    kept = KeptScores(path, file)
    try:
        if kept.images and resume is not False:
            _refuse_others(kept, out, settings, resume=bool(resume))
        else:
            with refusing(out):
                kept.begin(settings)
        yield kept
        kept.remove()
    except BaseException:
        if not kept.images:
            kept.remove()
        raise
    finally:
        kept.close()


def _refuse_others(kept: KeptScores, out: Path, settings: Settings, *, resume: bool) -> None:
    if not resume:
        raise OutputError(
            f"{out}: a run that was stopped left the scores of {kept.images:,} images; its command goes on from there "
            "with --resume, or starts anew with --no-resume"
        )
    if (change := difference(kept.settings, settings)) is not None:
        raise OutputError(f"{out}: cannot go on, since {change}; repeat what it was, or start anew with --no-resume")


def difference(before: Settings, now: Settings) -> str | None:
    """Returns in words the first thing that is another now than it was; None if all is the same."""
    for name in before | now:
        was, is_now = (values.get(name, "none") for values in (before, now))
        if was != is_now:
            return f"{name} was {was} and is {is_now} now"
    return None
