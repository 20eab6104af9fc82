"""Even light: a picture divided by its own large-scale brightness, a flat-field correction that needs no flat field.

The light is the smooth surface nearest to the picture's brightness: a polynomial of second degree down and across,
fitted to means over a coarse grid. So the exposure, a gradient or a vignette go, and what is smaller than about a third
of the picture stays. All channels share one light: a colour of its own is something to see.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

# Under even light a picture is this bright on the whole; what is more than twice as bright is clipped.
LEVEL = 0.5
# Where there is less light than this, dividing by it would make noise of black.
DARKEST = 0.02

# Up to here float32 holds every whole number.
_WHOLE_IN_FLOAT32 = 2**24

_GRID = 8
_DEGREE = 2


def light_of(pixels: Any) -> Any:
    """Returns the light that pictures were taken in, 1 where nothing changes: float32 of the shape of `pixels`.

    Sums of pixels are whole numbers, and the rest is computed in float64, so that TensorFlow and ONNX Runtime find the
    same light to the bit: it shifts all of a picture at once, and the difference to the reconstruction may be small.

    Args:
        pixels: uint8 (batch, height, width, channels).
    """
    height, width, channels = pixels.shape[1:]
    down, across = cells_along(height), cells_along(width)
    strips = tf.cast(tf.reshape(pixels, (-1, down, height // down, width * channels)), tf.float32)
    cells = tf.reshape(tf.reduce_sum(strips, axis=2), (-1, down * across, width * channels // across))
    full = LEVEL * 255.0 * height * width * channels / (down * across)
    if full / LEVEL >= _WHOLE_IN_FLOAT32:
        cells = tf.cast(cells, tf.float64)
    sums = tf.cast(tf.reduce_sum(cells, axis=2), tf.float64)
    # Plain products and sums, since TensorFlow's batched product of matrices is not to be trusted.
    (vertical, rows), (horizontal, columns) = _fit(height, down), _fit(width, across)
    factors = tf.reshape(tf.matmul(sums, np.kron(rows, columns).T / full), (-1, len(columns)))
    profiles = tf.matmul(factors, np.repeat(horizontal.T, channels, axis=1))
    profiles = tf.reshape(profiles, (-1, 1, len(rows), width * channels))
    light = tf.cast(tf.reduce_sum(profiles * vertical[:, :, np.newaxis], axis=2), tf.float32)
    return tf.maximum(tf.reshape(light, (-1, height, width, channels)), np.float32(DARKEST / LEVEL))


def under_even_light(images: Any, light: Any) -> Any:
    """Returns pictures in 0..1, float32 (batch, height, width, channels), without the light they were taken in."""
    return tf.minimum(images / light, 1.0)


def cells_along(side: int) -> int:
    """Returns how many cells of the coarse grid lie along a side of so many pixels: at most 8, all of one size."""
    return max(cells for cells in range(1, _GRID + 1) if side % cells == 0)


def _fit(side: int, cells: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns polynomials along a side, (side, n), and the matrix from cells' means to their factors, (n, cells)."""
    places = (np.arange(side) + 0.5) / side * 2 - 1
    curves = np.asarray(np.polynomial.legendre.legvander(places, min(_DEGREE, cells - 1)), np.float64)
    means = curves.reshape(cells, side // cells, -1).mean(axis=1)
    factors: NDArray[np.float64] = np.linalg.pinv(means)
    return curves, factors
