"""What is typical of the images that were learnt, measured on a draw of them."""

from typing import Any

import numpy as np

from adexport import Typical, measure_typical
from adtrain.settings import Settings
from adtrain.source import ImageSource, Indices, read_batches

# Medians and means, which more images would hardly move.
_IMAGES = 300


def typical_of(autoencoder: Any, source: ImageSource, learnt: Indices, settings: Settings) -> Typical:
    """Returns the constants of the score from at most 300 of the images that were learnt, drawn with the seed."""
    drawn = np.random.default_rng(settings.seed).permutation(learnt)[:_IMAGES]
    return measure_typical(autoencoder, read_batches(source, drawn), settings.scoring("mean"))
