"""The self-test image: anyone can paint it from one formula, in any language, and compare the score."""

import numpy as np

from adscore.images import Pixels
from adscore.spec import ImageSpec

PATTERN = "(31 * row + 17 * column + 101 * channel) mod 256"


def pattern(spec: ImageSpec) -> Pixels:
    """Returns the self-test image for `spec`, uint8 of shape (height, width, channels)."""
    row, column, channel = np.indices(spec.shape)
    return np.asarray((31 * row + 17 * column + 101 * channel) % 256, dtype=np.uint8)
