"""What normal images show, measured with the detector's own graph: the constants of its score."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from adexport.graph import error_and_contrast
from adexport.reduction import statistics
from adexport.scoring import Scoring, Typical
from adscore.images import Pixels

_GRID = 16


def measure_typical(autoencoder: Any, batches: Iterable[Pixels], scoring: Scoring) -> Typical:
    """Returns the constants of the score from images that are (mostly) normal.

    The statistics are medians, so that a few other images do not count.

    Args:
        autoencoder: a `keras.Model` of pictures, or of tiles where `scoring` has them.
        batches: uint8 (n, height, width, channels), at least one image in all. Not the held-out images: a threshold
            keeps its promise only if nothing else was learnt from them.
        scoring: how the difference is made; its reduction does not count.
    """
    run = tf.function(lambda pixels: error_and_contrast(autoencoder, pixels, scoring), reduce_retracing=True)
    # Twice over the images, since the relative statistics need the typical contrast; no more than a batch of maps is
    # held.
    chosen = list(batches)
    contrasts = [run(tf.constant(batch))[1].numpy().mean(axis=(1, 2)) for batch in chosen]
    typical_contrast = float(np.concatenate(contrasts).mean())
    total: Any = 0.0
    figures = []
    for batch in chosen:
        error, contrast, _ = run(tf.constant(batch))
        total = total + error.numpy().sum(axis=0)
        figures.append(statistics(error, contrast, typical_contrast).numpy())
    all_figures = np.concatenate(figures)
    mean_error = total / len(all_figures)
    rows, columns = (min(_GRID, side) for side in mean_error.shape)
    grid = tf.image.resize(mean_error[..., np.newaxis], (rows, columns), method="area").numpy()[..., 0]
    medians = np.median(all_figures, axis=0)
    return Typical(typical_contrast, tuple(medians.tolist()), tuple(tuple(row) for row in grid.tolist()))
