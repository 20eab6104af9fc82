"""From images asked for to rows written: read, score, write, forget."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import tee

from adscore.detector import Detector
from adscore.discoveries import Discoveries
from adscore.inputs import ImageFile
from adscore.table import RowWriter


@dataclass(frozen=True)
class Summary:
    """What a run came to."""

    images: int = 0  # rows written
    failed: int = 0  # of them, images that could not be read
    anomalies: int = 0


def score_images(
    detector: Detector,
    files: Iterable[ImageFile],
    write: RowWriter,
    *,
    threshold: float | None,
    batch_size: int,
    advance: Callable[[], None],
) -> Summary:
    """Writes one row an image, in order, and returns their count.

    Args:
        detector: the opened detector.
        files: the images, read lazily.
        write: takes each row.
        threshold: decides in place of the detector's.
        batch_size: images in one run.
        advance: called after each row, for a progress bar.
    """
    names, locations = tee(files)  # never further apart than one batch
    predictions = detector.predict((file.location for file in locations), threshold=threshold, batch_size=batch_size)
    images = failed = anomalies = 0
    for file, prediction in zip(names, predictions, strict=True):
        write(replace(prediction, path=file.name))
        images += 1
        failed += prediction.error is not None
        anomalies += prediction.is_anomaly is True
        advance()
    return Summary(images, failed, anomalies)


def score_discoveries(
    detector: Detector,
    files: Iterable[ImageFile],
    write: RowWriter,
    *,
    fdr: float,
    batch_size: int,
    advance: Callable[[], None],
) -> tuple[Summary, float]:
    """Writes one row an image, in order, and returns their count and the threshold that keeps the false-discovery rate.

    No row can be decided before the last image was scored, so the rows wait in a temporary file on disk.

    Args:
        detector: the opened detector.
        files: the images, read lazily.
        write: takes each row.
        fdr: share of normal images, on average, among those that are flagged.
        batch_size: images in one run.
        advance: called after each image was scored, for a progress bar.
    """
    with Discoveries(detector) as discoveries:
        scored = score_images(detector, files, discoveries.add, threshold=None, batch_size=batch_size, advance=advance)
        threshold = discoveries.threshold(fdr)
        anomalies = 0
        for prediction in discoveries.decided(threshold):
            write(prediction)
            anomalies += prediction.is_anomaly is True
    return replace(scored, anomalies=anomalies), threshold
