"""What normal images show, measured with the detector's own graph: the constants of its score."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from adexport.graph import error_and_contrast, scale
from adexport.reduction import statistics
from adexport.scoring import Scoring, Typical
from adscore.images import Pixels

_GRID = 16


def measure_typical(autoencoder: Any, batches: Iterable[Pixels], scoring: Scoring) -> Typical:
    """Returns the constants of the score from images that are (mostly) normal, medians where a few others could count.

    Args:
        autoencoder: a `keras.Model` of pictures, or of tiles where `scoring` has them.
        batches: uint8 (n, height, width, channels), at least one image in all. Not the held-out images: a threshold
            keeps its promise only if nothing else was learnt from them.
        scoring: how the difference is made; its reduction does not count.
    """
    run = tf.function(lambda pixels: error_and_contrast(autoencoder, scale(pixels), scoring), reduce_retracing=True)
    errors, contrasts = [], []
    for batch in batches:
        error, contrast, _ = run(tf.constant(np.asarray(batch)))
        errors.append(error.numpy())
        contrasts.append(contrast.numpy())
    error, contrast = np.concatenate(errors), np.concatenate(contrasts)
    typical_contrast = float(contrast.mean())
    medians = np.median(statistics(tf.constant(error), tf.constant(contrast), typical_contrast).numpy(), axis=0)
    rows, columns = (min(_GRID, side) for side in error.shape[1:])
    grid = tf.image.resize(error.mean(axis=0)[..., np.newaxis], (rows, columns), method="area").numpy()[..., 0]
    return Typical(typical_contrast, tuple(medians.tolist()), tuple(tuple(row) for row in grid.tolist()))
