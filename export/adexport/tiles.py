"""Scoring a picture by overlapping tiles: cut, reconstruct each, put together; reshapes only, so it lives in the graph.

Tiles overlap by half in both directions, so that every pixel lies in four of them, and each counts by a raised cosine
that falls to nothing at its edge: the four weights of a pixel add up to one, and no seam is left. The picture is
mirrored outwards by half a tile first, so that this holds at its border too.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from adexport.sums import mean_behind


def by_tiles(autoencoder: Any, images: Any, tile: int) -> tuple[Any, Any]:
    """Returns the reconstruction of whole pictures by an autoencoder of tiles, and the contrast about each pixel.

    Args:
        autoencoder: a `keras.Model` from float32 (n, tile, tile, channels) to the same shape.
        images: float32 (batch, height, width, channels), height and width multiples of `tile`.
        tile: side of a tile in pixels, even.

    Returns:
        The reconstruction, of the shape of `images`, and the variance of the pixels in a tile, averaged as the
        reconstruction is, float32 (batch, height, width).
    """
    height, width, channels = images.shape[1:]
    grids = _Grids(height, width, tile)
    tiles = tf.reshape(grids.cut(images), (-1, tile, tile, channels))
    reconstructed = autoencoder(tiles, training=False)
    # The contrast rides along as one more channel, and is put together by the same sums.
    contrast = tf.broadcast_to(contrast_of(tiles)[:, :, :, tf.newaxis], tf.shape(reconstructed[..., :1]))
    joined = grids.join(tf.concat([reconstructed, contrast], axis=3), channels + 1)
    # Rounding may carry a weighted mean of values in 0..1 a hair outside.
    return tf.clip_by_value(joined[..., :channels], 0.0, 1.0), joined[..., channels]


def contrast_of(images: Any) -> Any:
    """Returns the variance of each image's pixels about each channel's mean, float32 (batch, 1, 1)."""
    # Channel by channel, so that what is subtracted is one number for a whole run of pixels.
    channels, pixels = images.shape[3], images.shape[1] * images.shape[2]
    planes = tf.reshape(tf.transpose(images, (0, 3, 1, 2)), (-1, channels, pixels))
    centred = planes - tf.reshape(mean_behind(planes, 2), (-1, channels, 1))
    return tf.reshape(mean_behind(tf.square(centred), 1), (-1, 1, 1))


class _Grids:
    """Four grids of tiles over a mirrored picture, shifted by half a tile against each other."""

    def __init__(self, height: int, width: int, tile: int) -> None:
        self._height, self._width, self._tile, self._half = height, width, tile, tile // 2
        # (first row, first column, tiles down, tiles across); the shifted grids leave out half a tile on each side.
        self._places = [
            (top, left, height // tile + (top == 0), width // tile + (left == 0))
            for top in (0, self._half)
            for left in (0, self._half)
        ]

    def cut(self, images: Any) -> Any:
        """Returns the tiles of each picture, (batch, tiles, tile, tile, channels)."""
        half, tile, channels = self._half, self._tile, images.shape[3]
        mirrored = tf.pad(images, [[0, 0], [half, half], [half, half], [0, 0]], mode="REFLECT")
        grids = []
        for top, left, down, across in self._places:
            area = mirrored[:, top : top + down * tile, left : left + across * tile]
            rows = tf.transpose(tf.reshape(area, (-1, down, tile, across, tile, channels)), (0, 1, 3, 2, 4, 5))
            grids.append(tf.reshape(rows, (-1, down * across, tile, tile, channels)))
        return tf.concat(grids, axis=1)

    def join(self, tiles: Any, channels: int) -> Any:
        """Returns the weighted sum of the tiles, (batch, height, width, channels)."""
        half, tile = self._half, self._tile
        number = sum(down * across for *_, down, across in self._places)
        weighted = tf.reshape(tiles * _window(tile, channels), (-1, number, tile, tile, channels))
        total: Any = 0.0
        start = 0
        for top, left, down, across in self._places:
            grid = tf.reshape(weighted[:, start : start + down * across], (-1, down, across, tile, tile, channels))
            area = tf.reshape(tf.transpose(grid, (0, 1, 3, 2, 4, 5)), (-1, down * tile, across * tile, channels))
            below, right = self._height + tile - top - down * tile, self._width + tile - left - across * tile
            total += tf.pad(area, [[0, 0], [top, below], [left, right], [0, 0]])
            start += down * across
        return total[:, half : half + self._height, half : half + self._width]


def _window(tile: int, channels: int) -> NDArray[np.float32]:
    """Returns the weight of each pixel of a tile, (tile, tile, channels)."""
    ramp = np.sin(np.pi * (np.arange(tile) + 0.5) / tile) ** 2
    weights = (ramp[:, np.newaxis] * ramp)[..., np.newaxis].astype(np.float32)
    return np.repeat(weights, channels, axis=2)
