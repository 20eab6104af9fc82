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


def compare(function: Any, detector: Detector, images: Pixels, advance: Callable[[], None]) -> NDArray[np.float64]:
    """Returns the scores of Keras and of ONNX Runtime at each batch size, float64 of shape (runs, n).

    Args:
        function: the `detector_function` that the detector was converted from.
        detector: the exported detector.
        images: uint8 (n, height, width, channels); may be a memory map, it is read in slices.
        advance: called once an image at each batch size, for a progress bar.
    """
    runs = [np.empty((2, len(images))) for _ in BATCH_SIZES]
    for run, size in zip(runs, BATCH_SIZES, strict=True):
        for start in range(0, len(images), size):
            batch = np.asarray(images[start : start + size])
            with tf.device("/CPU:0"):  # a GPU's TF32 convolutions are a hundred times coarser than the tolerance
                run[0, start : start + size] = function(tf.constant(batch))["score"].numpy()
            run[1, start : start + size] = detector.score(batch, batch_size=size)
            for _ in batch:
                advance()
    return np.concatenate(runs)


def largest_difference(scores: NDArray[np.float64]) -> float:
    """Returns the largest difference of two scores of one image, over the larger; scores as `compare` returns them."""
    largest, smallest = scores.max(axis=0), scores.min(axis=0)
    return float(np.max((largest - smallest) / np.maximum(largest, np.finfo(np.float32).tiny), initial=0.0))


def judge(scores: NDArray[np.float64], threshold: float) -> Parity:
    """Returns the figures of a comparison.

    A label differs if it is not the same in every run. The image that sets the threshold lies on it in one run and a
    rounding error above in another: an image within the tolerance of the threshold counts as agreeing.

    Args:
        scores: as `compare` returns them.
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
