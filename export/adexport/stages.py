"""Where Keras and ONNX Runtime part: in the reconstruction, in the difference behind the map, or in the score of it.

A score is a sum of squared differences, so it magnifies what rounding does to a small one: where a picture of one grey
is reconstructed to half a grey, a difference of one in the last place of float32 is 6e-5 of the score. Whether two
scores are the same is then seen by what they are made of.
"""

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from adexport.graph import error_and_contrast
from adexport.reduction import divisor, reduce
from adexport.scoring import Scoring
from adscore.detector import Detector
from adscore.images import Pixels


@dataclass(frozen=True)
class Stages:
    """How far Keras and ONNX Runtime are apart on one image, the most at any batch size."""

    reconstruction: float  # largest difference of a pixel, of 0..1
    difference: float  # largest of the blurred difference of picture and reconstruction, a pixel's channels together
    score: float  # of ONNX Runtime's and that of the same map by TensorFlow, relative

    def __or__(self, other: "Stages") -> "Stages":
        """Returns the larger of each."""
        each = zip(astuple(self), astuple(other), strict=True)
        return Stages(*(float(np.maximum(one, another)) for one, another in each))  # which keeps what is no number


def stages_of(
    autoencoder: Any, scoring: Scoring, detector: Detector, images: Pixels, batch_sizes: Iterable[int]
) -> Callable[[NDArray[np.intp]], list[Stages]]:
    """Returns a function from places of images to their stages.

    Args:
        autoencoder: the `keras.Model`.
        scoring: how reconstructions become scores.
        detector: of the graph converted from both.
        images: uint8 (n, height, width, channels); may be a memory map.
        batch_sizes: how images were scored.
    """
    run = tf.function(lambda pixels: error_and_contrast(autoencoder, pixels, scoring), reduce_retracing=True)

    def look(places: NDArray[np.intp]) -> list[Stages]:
        found: dict[int, Stages] = {}
        for size in batch_sizes:
            for start in sorted({int(place) // size * size for place in places}):
                block = np.asarray(images[start : start + size])
                for place, stages in enumerate(_compared(run, scoring, detector, block), start=start):
                    found[place] = found.get(place, stages) | stages
        return [found[int(place)] for place in places]

    return look


def _compared(run: Any, scoring: Scoring, detector: Detector, pixels: Pixels) -> Iterable[Stages]:
    outputs = detector.analyze(pixels)
    with tf.device("/CPU:0"):
        error, contrast, reconstruction = run(tf.constant(pixels))
        own = tf.constant(outputs.anomaly_map) * divisor(contrast, scoring, *outputs.anomaly_map.shape[1:])
        _, scores = reduce(own, contrast, scoring)
    apart = np.abs(np.sqrt(error.numpy()) - np.sqrt(own.numpy())).max(axis=(1, 2))
    pixel = np.abs(reconstruction.numpy() - outputs.reconstruction).max(axis=(1, 2, 3))
    larger = np.maximum(np.maximum(scores.numpy(), outputs.score), np.finfo(np.float32).tiny)
    relative = np.abs(scores.numpy() - outputs.score) / larger
    return map(Stages, pixel.tolist(), apart.tolist(), relative.tolist())
