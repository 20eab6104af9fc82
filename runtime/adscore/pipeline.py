"""From images asked for to rows written: read, score, write, forget."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice, tee
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from adscore.detector import Detector
from adscore.in_order import score_in_order
from adscore.inputs import ImageFile
from adscore.prediction import decide
from adscore.remarks import Remarks
from adscore.stop import Stop
from adscore.table import RowWriter

if TYPE_CHECKING:
    from adscore.kept import KeptScores  # what it imports is for tables in files


@dataclass(frozen=True)
class Summary:
    """What a run came to."""

    images: int = 0  # rows written
    failed: int = 0  # of them, images that could not be read
    anomalies: int = 0
    doubts: tuple[str, ...] = ()  # why nothing is flagged, where more held-out images might have changed it
    remarks: Remarks = field(default_factory=Remarks)  # on images scored in this run, not in one that it goes on from


@dataclass(frozen=True)
class Effort:
    """How the work is done; no row depends on it."""

    workers: int  # processes that decode and score
    batch_size: int  # images in one run
    advance: Callable[[int], None]  # called with the number of images after each batch, for a progress bar
    kept: "KeptScores | None" = None  # where an earlier run's scores are taken from, and this one's go
    stop: Stop = field(default_factory=Stop)  # ends the run after the images in hand


@dataclass(frozen=True)
class _Batch:
    files: list[ImageFile]
    to_score: list[ImageFile]  # those of them that have no score yet
    known: NDArray[np.float32] | None  # (n,) scores that an earlier run kept, NaN where there is none; None: not any


def score_images(
    detector: Detector, files: Iterable[ImageFile], write: RowWriter, effort: Effort, *, threshold: float | None
) -> Summary:
    """Writes one row an image, in order, and returns their count.

    Args:
        detector: the opened detector.
        files: the images, read lazily.
        write: takes each row.
        effort: how the work is done.
        threshold: decides in place of the detector's.
    """
    limit, reference = detector.decision_threshold(threshold), detector.spec.calibration.reference
    batches, ahead = tee(_batches(files, effort))  # never further apart than the workers have in hand
    locations = ([file.location for file in batch.to_score] for batch in ahead)
    images = failed = anomalies = 0
    remarks = Remarks()
    for batch, fresh in zip(batches, score_in_order(detector, locations, effort.workers), strict=True):
        if effort.kept is not None:
            effort.kept.add([file.name for file in batch.to_score], fresh.scores)
        scored = fresh if batch.known is None else fresh.among(batch.known)
        for prediction in decide([file.name for file in batch.files], scored, limit, reference):
            write(prediction)
            anomalies += prediction.is_anomaly is True
        if scored.noted:
            noted = ((batch.files[place].name, original) for place, original in scored.noted.items())
            remarks += Remarks.on(noted, detector.spec)
        images += len(batch.files)
        failed += len(scored.errors)
        effort.advance(len(batch.files))
    return Summary(images, failed, anomalies, remarks=remarks)


def score_discoveries(
    detector: Detector, files: Iterable[ImageFile], write: RowWriter, effort: Effort, *, fdr: float
) -> tuple[Summary, float]:
    """Writes one row an image, in order, and returns their count and the threshold that keeps the false-discovery rate.

    No row can be decided before the last image was scored, so the rows wait in a temporary file on disk.

    Args:
        detector: the opened detector.
        files: the images, read lazily.
        write: takes each row.
        effort: how the work is done.
        fdr: share of normal images, on average, among those that are flagged.
    """
    from adscore.discoveries import Discoveries  # what it imports costs as much as a small folder

    with Discoveries(detector, fdr) as discoveries:
        scored = score_images(detector, files, discoveries.add, effort, threshold=None)
        effort.stop.check()
        threshold = discoveries.threshold()
        anomalies = 0
        for prediction in discoveries.decided(threshold):
            write(prediction)
            anomalies += prediction.is_anomaly is True
        doubts = tuple(discoveries.doubts())
    return replace(scored, anomalies=anomalies, doubts=doubts), threshold


def _batches(files: Iterable[ImageFile], effort: Effort) -> Iterator[_Batch]:
    pending = iter(files)
    while True:
        batch: list[ImageFile] = []
        # A list on stdin may be waited for; what it has named before the stop is still scored.
        effort.stop.cuts_short(partial(batch.extend, islice(pending, effort.batch_size)))
        if not batch:
            return
        known = None if effort.kept is None else effort.kept.find([file.name for file in batch])
        if known is None:
            yield _Batch(batch, batch, None)
        else:
            yield _Batch(batch, [batch[place] for place in np.flatnonzero(np.isnan(known)).tolist()], known)
