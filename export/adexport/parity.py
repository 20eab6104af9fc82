"""Proof that the file says what the Keras model says: the same images through both, one by one and in batches."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from adscore.calibration import is_anomaly
from adscore.detector import Detector
from adscore.errors import ADError
from adscore.images import Pixels
from adscore.spec import Parity

BATCH_SIZES = (1, 64)
MAX_RELATIVE_DIFFERENCE = 1e-5


class ParityError(ADError):
    """The exported graph and the Keras model disagree."""


def scores_by_keras(function: Any, images: Pixels, advance: Callable[[], None]) -> NDArray[np.float64]:
    """Returns the scores of Keras at each batch size, float64 of shape (runs, n).

    Args:
        function: a `detector_function`.
        images: uint8 (n, height, width, channels); may be a memory map, it is read in slices.
        advance: called once an image at each batch size, for a progress bar.
    """

    def score(batch: Pixels, _: int) -> Any:
        with tf.device("/CPU:0"):  # a GPU's TF32 convolutions are a hundred times coarser than the tolerance
            return function(tf.constant(batch))["score"].numpy()

    return _at_each_batch_size(score, images, advance)


def scores_by_detector(detector: Detector, images: Pixels, advance: Callable[[], None]) -> NDArray[np.float64]:
    """Returns the scores of ONNX Runtime at each batch size, float64 of shape (runs, n); see `scores_by_keras`."""
    return _at_each_batch_size(lambda batch, size: detector.score(batch, batch_size=size), images, advance)


def _at_each_batch_size(
    score: Callable[[Pixels, int], Any], images: Pixels, advance: Callable[[], None]
) -> NDArray[np.float64]:
    runs = np.empty((len(BATCH_SIZES), len(images)))
    for run, size in zip(runs, BATCH_SIZES, strict=True):
        for start in range(0, len(images), size):
            batch = np.asarray(images[start : start + size])
            run[start : start + size] = score(batch, size)
            for _ in batch:
                advance()
    return runs


def largest_difference(scores: NDArray[np.float64]) -> float:
    """Returns the largest difference of two scores of one image, over the larger, of scores of shape (runs, n)."""
    largest, smallest = scores.max(axis=0), scores.min(axis=0)
    return float(np.max((largest - smallest) / np.maximum(largest, np.finfo(np.float32).tiny), initial=0.0))


def judge(scores: NDArray[np.float64], threshold: float) -> Parity:
    """Returns the figures of a comparison.

    A label differs if it is not the same in every run. The image that sets the threshold lies on it in one run and a
    rounding error above in another: an image within the tolerance of the threshold counts as agreeing.

    Args:
        scores: of Keras and of ONNX Runtime, of shape (runs, n).
        threshold: the detector's.

    Raises:
        ParityError: the scores differ by more than MAX_RELATIVE_DIFFERENCE, or a label differs.
    """
    difference = largest_difference(scores)
    labels = is_anomaly(scores, threshold)
    undecided = np.abs(scores - threshold).max(axis=0) <= MAX_RELATIVE_DIFFERENCE * abs(threshold)
    flips = int((labels.any(axis=0) & ~labels.all(axis=0) & ~undecided).sum())
    images = scores.shape[1]
    if not difference <= MAX_RELATIVE_DIFFERENCE or flips:
        raise ParityError(
            f"the exported graph disagrees with the Keras model: scores of {images} images differ by up to "
            f"{difference:.1e} relative ({MAX_RELATIVE_DIFFERENCE:.0e} allowed) and {flips} labels flip (0 allowed); "
            "nothing was written. Compare the tool versions in the run's run.json with those installed, and train again"
        )
    return Parity(images, BATCH_SIZES, difference, label_agreement=1.0)
