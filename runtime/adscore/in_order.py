"""Batches of files scored in order: in this process, and by workers beside it once the job is worth their start."""

import math
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from adscore.detector import Detector
from adscore.prediction import Scored

if TYPE_CHECKING:
    from adscore.workers import StartMethod

# A job that is done within so many seconds does not pay for workers, which take about a tenth of it to start.
_WARM_UP_SECONDS: "dict[StartMethod, float]" = {"fork": 0.02, "spawn": 2.0}
# Small images go through decoder, pipe and network in bundles of batches; of large ones a batch is enough, and workers
# shall not end far apart.
_MOST_TOGETHER = 8
_BUNDLE_SECONDS = 0.05
_BUNDLE_BYTES = 1 << 20


def score_in_order(
    detector: Detector,
    batches: Iterable[Sequence[str]],
    workers: int,
    *,
    start: "StartMethod | None" = None,
    warm_up_seconds: float | None = None,
) -> Iterator[Scored]:
    """Yields what each batch of paths came to, in order; which process scored it makes no difference to a score.

    Reads at most 2 bundles for each worker ahead of what was yielded: bundles of 8 batches, or of one that takes long.

    Args:
        detector: the opened detector; workers have a copy of it.
        batches: paths of image files, the first that is not empty the largest.
        workers: processes to score with; with 1, this process does it.
        start: how processes are started; by default as fast as is safe.
        warm_up_seconds: how long to score in this process, before workers are worth their start.

    Raises:
        WorkerError: workers end again and again.
        ModelError: the detector cannot run.
    """
    pending = iter(batches)
    for first in pending:
        if first:
            pending = chain([first], pending)
            break
        yield Scored.nothing()  # an earlier run scored them
    start = start or _start_method()
    until = time.monotonic() + (_WARM_UP_SECONDS[start] if warm_up_seconds is None else warm_up_seconds)
    together, largest = 1, 0
    while bundle := list(islice(pending, together)):
        if workers > 1 and time.monotonic() >= until:
            from adscore.workers import score_side_by_side  # what it imports costs as much as a small folder

            yield from score_side_by_side(detector, chain(bundle, pending), workers, together, start)
            return
        largest = largest or len(bundle[0])
        begun = time.monotonic()
        bundle_scored = detector.score_batches(bundle, padded_to=largest)
        together = _worth_bundling(detector, largest, (time.monotonic() - begun) / len(bundle))
        yield from bundle_scored


def _worth_bundling(detector: Detector, batch_size: int, seconds: float) -> int:
    """Returns how many batches to decode before any of them is scored, where one takes so many seconds."""
    room = _BUNDLE_BYTES // (batch_size * math.prod(detector.spec.image.shape))
    return max(1, min(_MOST_TOGETHER, room, int(_BUNDLE_SECONDS / max(seconds, 1e-9))))


def _start_method() -> "StartMethod":
    # A fork copies the calling thread alone; whatever the others held stays locked for good.
    alone = sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - no path is needed
    return "fork" if alone else "spawn"
