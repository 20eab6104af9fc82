"""Deciding a whole folder at once: rows wait on disk until the p-values of all of them are known."""

import math
import pickle
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from adscore.calibration import benjamini_hochberg, images_needed, is_anomaly, refuse_unreachable
from adscore.detector import Detector
from adscore.errors import OutputError
from adscore.prediction import Prediction


class Discoveries:
    """Predictions that wait for their decision; 16 bytes an image stay in memory.

    Args:
        detector: the opened detector.
        fdr: share of normal images, on average, among those that are flagged.

    Raises:
        CalibrationError: at this rate no image could be flagged.
    """

    def __init__(self, detector: Detector, fdr: float) -> None:
        refuse_unreachable(detector.spec.calibration.reference, fdr, "fdr")
        self._detector = detector
        self._fdr = fdr
        with _temporary_files():
            self._rows = TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._chances = array("d")
        self._largest = 0.0
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.close()

    def add(self, prediction: Prediction) -> None:
        """Takes a prediction to decide later."""
        with _temporary_files():
            pickle.dump(prediction, self._rows)
        self._number += 1
        if prediction.score is not None and prediction.p_value is not None:
            self._chances.append(prediction.p_value)
            self._largest = max(self._largest, prediction.score)

    def threshold(self) -> float:
        """Returns the threshold above which the discoveries lie; the largest score if there are none."""
        largest_chance = benjamini_hochberg(self._all_chances(), self._fdr)
        if largest_chance is None:
            return self._largest
        # p <= rate and score > the threshold that keeps this rate are one and the same decision.
        return self._detector.threshold_for(largest_chance)

    def doubts(self) -> Iterator[str]:
        """Yields why there are no discoveries, if more held-out images might have made some.

        An image that lies above all of them would have a smaller p-value among more; one that does not, would not.
        """
        chances, n = self._all_chances(), self._detector.spec.calibration.reference.images
        floor = 1 / (n + 1)
        highest = int((chances <= floor * (1 + 1e-9)).sum())
        if not highest or benjamini_hochberg(chances, self._fdr) is not None:
            return
        yield (
            f"--fdr {self._fdr:g} can flag none of {len(chances)} images: {highest} score above all {n} held-out "
            f"images, and that takes {math.ceil(len(chances) * floor / self._fdr - 1e-9)} of them, or "
            f"{images_needed(self._fdr * highest / len(chances))} held-out images"
        )

    def decided(self, threshold: float) -> Iterator[Prediction]:
        """Yields the predictions in order, decided by the threshold."""
        limit = float(np.float32(threshold))
        with _temporary_files():
            self._rows.seek(0)  # writes what is still in the buffer
        for _ in range(self._number):
            prediction: Prediction = pickle.load(self._rows)  # noqa: S301 - written above, by this process
            if prediction.score is None:
                yield prediction._replace(threshold=limit)
            else:
                yield prediction._replace(threshold=limit, is_anomaly=bool(is_anomaly(prediction.score, limit)))

    def _all_chances(self) -> NDArray[np.float64]:
        return np.frombuffer(self._chances) if self._chances else np.empty(0)


@contextmanager
def _temporary_files() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the rows cannot wait for --fdr in the folder for temporary files ({error.strerror}); make room there, or "
            "name another with TMPDIR"
        ) from error
