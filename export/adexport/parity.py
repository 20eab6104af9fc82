"""Proof that the file says what the Keras model says: the same images through both, one by one and in batches."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import tensorflow as tf
from numpy.typing import NDArray

from adexport.stages import Stages
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
    return float(np.max(_differences(scores), initial=0.0))


def _differences(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    largest, smallest = scores.max(axis=0), scores.min(axis=0)
    return np.asarray((largest - smallest) / np.maximum(largest, np.finfo(np.float32).tiny))


def judge(scores: NDArray[np.float64], threshold: float, look: Callable[[NDArray[np.intp]], list[Stages]]) -> Parity:
    """Returns the figures of a comparison.

    Two scores are the same if they differ by no more than MAX_RELATIVE_DIFFERENCE. Where a score magnifies the
    rounding of float32, see `adexport.stages`, each of its stages has to be within that instead: the differences of
    picture and reconstruction, of 0..1, and the score of the map. Labels of such an image may differ by nothing else:
    the image that sets the threshold lies on it in one run and a rounding error above in another.

    Args:
        scores: of Keras and of ONNX Runtime, of shape (runs, n), half of the runs each.
        threshold: the detector's.
        look: finds the stages of images at these places, for those that differ by more.

    Raises:
        ParityError: the scores of an image are not the same; it says which, and what differs.
    """
    differences = _differences(scores)
    apart = np.flatnonzero(~(differences <= MAX_RELATIVE_DIFFERENCE))
    stages = look(apart) if len(apart) else []
    wrong = [(place, found) for place, found in zip(apart.tolist(), stages, strict=True) if not _only_magnified(found)]
    if wrong:
        place, found = max(wrong, key=lambda each: np.nan_to_num(differences[each[0]], nan=np.inf))
        labels = is_anomaly(scores[:, [place for place, _ in wrong]], threshold)
        flips = int((labels.any(axis=0) & ~labels.all(axis=0)).sum())
        of = f"{len(wrong)} of {scores.shape[1]} held-out images differ, and {flips} labels flip"
        raise ParityError(_message(scores[:, place], place, found, of))
    return Parity(scores.shape[1], BATCH_SIZES, largest_difference(scores), label_agreement=1.0)


def _only_magnified(stages: Stages) -> bool:
    return stages.difference <= MAX_RELATIVE_DIFFERENCE and stages.score <= MAX_RELATIVE_DIFFERENCE


def _message(scores: NDArray[np.float64], place: int, stages: Stages, of: str) -> str:
    pairs = scores.reshape(2, -1).T  # by Keras and by ONNX Runtime, at each batch size
    keras, runtime = pairs[np.nan_to_num(np.abs(np.diff(pairs)), nan=np.inf).argmax()]
    tool = f"onnxruntime {onnxruntime.__version__} or tensorflow {tf.__version__}"
    if not stages.reconstruction <= MAX_RELATIVE_DIFFERENCE:
        what = f"its reconstructions differ by up to {stages.reconstruction:.1e} of a full range of 1"
        step = f"{tool} computes a layer of the network wrongly; export with another version of it"
    elif not stages.difference <= MAX_RELATIVE_DIFFERENCE:
        what = f"its reconstructions agree, and what is left of the picture differs by up to {stages.difference:.1e}"
        step = f"{tool} computes light or blur wrongly; export with another version of it, or train without"
    else:
        what = f"its maps agree, and what they are summed up to differs by {stages.score:.1e}"
        step = f"{tool} computes the sums of this --score wrongly; export with another version of it"
    return (
        f"the exported graph disagrees with the Keras model: held-out image {place + 1} scores {keras:.9g} by Keras "
        f"and {runtime:.9g} by ONNX Runtime, where {MAX_RELATIVE_DIFFERENCE:.0e} relative is allowed; {what} ({of}); "
        f"nothing was written. {step}"
    )
