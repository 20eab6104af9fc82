"""Varied light: whether pictures need even light, judged by the training images, and those images under it."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from adexport.graph import scale
from adexport.light import light_of, under_even_light
from adexport.scoring import Light
from adscore.images import Pixels
from adtrain.source import ROOM, ImageSource, Indices, KeptSource, read_batches

# Above this `unevenness` pictures are brought under even light: half of what varies within the cells.
UNEVEN = 0.5
# Typical brightness of the darkest place, as a share of the mean; below it pictures show objects on black, where
# brightness is what the picture shows and not the light.
DARKEST_PLACE = 0.25

_GRID = 4
_MEASURED = 256  # at most so many images
_BLACK = 1.0  # added to brightness of 0..255, so that black has a logarithm


def choose_light(source: ImageSource, training: Indices) -> Light:
    """Returns "even" where large-scale brightness differs between the training images more than light should.

    What counts is the variance between pictures of the brightness on a coarse grid, each picture's own exposure taken
    out, over the variance that is left within the grid's cells; logarithms make both independent of the exposure.
    """
    some = training[:: -(-len(training) // _MEASURED)]
    measured = [_on_grid(batch) for batch in read_batches(source, some)]
    brightness, within = (np.concatenate(parts) for parts in zip(*measured, strict=True))
    dark = np.median(brightness, axis=0).min() < DARKEST_PLACE * brightness.mean()
    return "even" if not dark and unevenness(brightness, within) > UNEVEN else "as_is"


def unevenness(brightness: NDArray[np.float64], within: NDArray[np.float64]) -> float:
    """Returns the variance of the light between pictures over the variance within their cells.

    Args:
        brightness: mean of each cell of each picture, (n, cells), 0..255.
        within: variance of each cell's pixels, of the same shape.
    """
    logarithms = np.log(brightness + _BLACK)
    shape = logarithms - logarithms.mean(axis=1, keepdims=True)
    relative = within / (brightness + _BLACK) ** 2
    return float(shape.var(axis=0).mean() / (relative.mean() + np.finfo(np.float64).tiny))


def in_light(source: ImageSource, light: Light) -> ImageSource:
    """Returns the images as the network sees them in this light."""
    return KeptSource(EvenSource(source), ROOM) if light == "even" else source


class EvenSource:
    """Images of another source under even light, by the detector's own function, rounded to uint8."""

    def __init__(self, source: ImageSource) -> None:
        self.spec = source.spec
        self._source = source

    def __len__(self) -> int:
        return len(self._source)

    def name(self, index: int) -> str:
        """See ImageSource."""
        return self._source.name(index)

    def read(self, index: int) -> Pixels:
        """See ImageSource."""
        image = tf.constant(self._source.read(index)[np.newaxis])
        with tf.device("/CPU:0"):
            evened = under_even_light(scale(image), light_of(image))
        pixels: Pixels = np.rint(evened.numpy()[0] * 255.0).astype(np.uint8)
        return pixels


def _on_grid(images: Pixels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns mean and variance of the brightness in each cell of each picture, both (n, cells)."""
    grey = images.mean(axis=3)
    _, height, width = grey.shape
    down, across = min(_GRID, height), min(_GRID, width)
    rows, columns = height // down, width // across
    cells = grey[:, : down * rows, : across * columns].reshape(-1, down, rows, across, columns)
    return tuple(figure(axis=(2, 4)).reshape(len(grey), -1) for figure in (cells.mean, cells.var))
