"""Batches of files scored in order: in this process, and by workers beside it once the job is worth their start."""

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from adscore.detector import Detector
from adscore.prediction import Scored

if TYPE_CHECKING:
    from adscore.workers import StartMethod

# A job that is done within so many seconds does not pay for workers; starting one takes about a tenth of it.
_PATIENCE: "dict[StartMethod, float]" = {"fork": 0.05, "spawn": 2.0}


def score_in_order(
    detector: Detector,
    batches: Iterable[Sequence[str]],
    workers: int,
    *,
    start: "StartMethod | None" = None,
    patience: float | None = None,
) -> Iterator[Scored]:
    """Yields what each batch of paths came to, in order; which process scored it makes no difference to a score.

    Reads at most `2 * workers` batches ahead of what was yielded.

    Args:
        detector: the opened detector; workers have a copy of it.
        batches: paths of image files, the first batch the largest.
        workers: processes to score with; with 1, this process does it.
        start: how processes are started; by default as fast as is safe.
        patience: seconds to score for in this process, before workers are worth their start.

    Raises:
        WorkerError: workers end again and again.
        ModelError: the detector cannot run.
    """
    pending = iter(batches)
    start = start or _start_method()
    until = time.monotonic() + (_PATIENCE[start] if patience is None else patience)
    largest = 0
    for batch in pending:
        if workers > 1 and time.monotonic() > until:
            from adscore.workers import score_side_by_side  # what it imports costs as much as a small folder

            yield from score_side_by_side(detector, chain([batch], pending), workers, start)
            return
        largest = largest or len(batch)
        yield detector.score_files(batch, padded_to=largest)


def _start_method() -> "StartMethod":
    # A fork copies the calling thread alone; whatever the others held stays locked for good.
    alone = sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - no path is needed
    return "fork" if alone else "spawn"
