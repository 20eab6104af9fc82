"""From the difference of image and reconstruction to the anomaly map, and from that to one score.

The difference is blurred *before* it is squared: an edge that the reconstruction puts half a pixel aside leaves a
positive and a negative stripe, which cancel, while a missing or foreign piece leaves one sign and stays.

mean        mean of the map.
top         mean of the largest hundredth of the map.
max         maximum of the map.
normalized  maximum of the map after each place is divided by what normal images show there.
relative    mean of the map after it is divided by the picture's own contrast: the share of it that is unexplained.
deviation   how many times the most unusual of five statistics lies above or below its typical value, at least 1.
            A missing part may leave too *little* error, which no other reduction sees.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from adexport.scoring import Scoring, Typical
from adexport.sums import mean_behind

TOP_SHARE = 0.01

# Weight of the typical contrast beside a picture's own, so that an even picture is not divided by nothing.
_CONTRAST_FLOOR = 1.0
# Share of the mean in the per-place scale, so that a place without any error is not divided by nothing.
_ERROR_FLOOR = 0.3
# What a pixel's rounding to one of 256 greys leaves of variance whatever the picture shows. Less than this in contrast
# or error is no property of what was photographed, and for pictures of one grey it would be the rounding of float32.
GREY_NOISE = (1 / 255) ** 2 / 12

_UNDIVIDED = ("mean", "top", "max", "deviation")


def reach_of(blur: float) -> int:
    """Returns how many pixels a blur of this standard deviation reaches to each side; 0 for none."""
    return max(1, round(3 * blur)) if blur else 0


def squared_difference(images: Any, reconstruction: Any, blur: float) -> Any:
    """Returns the squared, and before that blurred, difference, mean over the channels: float32 (n, height, width)."""
    difference = images - reconstruction
    if blur:
        difference = _blurred(difference, _gaussian(blur))
    return tf.reduce_mean(tf.square(difference), axis=3)


def reduce(error: Any, contrast: Any, scoring: Scoring) -> tuple[Any, Any]:
    """Returns (anomaly_map, score), float32 (n, height, width) and (n,).

    Args:
        error: as `squared_difference` returns it.
        contrast: float32 (n, height, width) or (n, 1, 1), as `adexport.tiles` returns it.
        scoring: which reduction, and its constants.
    """
    anomaly_map = error if scoring.reduction in _UNDIVIDED else error / divisor(contrast, scoring, *error.shape[1:])
    match scoring.reduction:
        case "mean" | "relative":
            return anomaly_map, _mean(anomaly_map)
        case "top":
            return anomaly_map, _top(anomaly_map)
        case "max" | "normalized":
            return anomaly_map, _max(anomaly_map)
        case _:
            typical = _typical(scoring)
            floors = _floors(typical.contrast)
            ratios = (statistics(error, contrast, typical.contrast) + floors) / (
                np.array(typical.statistics, np.float32) + floors
            )
            return anomaly_map, tf.reduce_max(tf.maximum(ratios, 1.0 / ratios), axis=1)


def divisor(contrast: Any, scoring: Scoring, height: int, width: int) -> Any:
    """Returns what the error is divided by to be the anomaly map: float32, of a shape that broadcasts to the error's.

    Args:
        contrast: as `reduce` takes it.
        scoring: which reduction, and its constants.
        height: of the map.
        width: likewise.
    """
    match scoring.reduction:
        case "normalized":
            return _scale_by_place(_typical(scoring), height, width)
        case "relative":
            return contrast + np.float32(_beside(_typical(scoring).contrast))
        case _:
            return np.float32(1.0)


def _typical(scoring: Scoring) -> Typical:
    if scoring.typical is None:
        raise ValueError(f"the reduction {scoring.reduction} needs what is typical of normal images")
    return scoring.typical


def statistics(error: Any, contrast: Any, typical_contrast: float) -> Any:
    """Returns mean, top hundredth and maximum of the map, mean and maximum of the relative map: float32 (n, 5)."""
    relative = error / (contrast + np.float32(_beside(typical_contrast)))
    return tf.stack([_mean(error), _top(error), _max(error), _mean(relative), _max(relative)], axis=1)


def _beside(typical_contrast: float) -> float:
    """Returns what is added to a picture's own contrast before anything is divided by it."""
    return _CONTRAST_FLOOR * typical_contrast + GREY_NOISE


def _floors(typical_contrast: float) -> NDArray[np.float32]:
    """Returns what is added to each of the `statistics` before they are compared: those of an error of `GREY_NOISE`."""
    relative = GREY_NOISE / _beside(typical_contrast)
    return np.array([GREY_NOISE] * 3 + [relative] * 2, np.float32)


def _mean(values: Any) -> Any:
    return mean_behind(values, 1)


def _max(values: Any) -> Any:
    return tf.reduce_max(values, axis=[1, 2])


def _top(values: Any) -> Any:
    pixels = values.shape[1] * values.shape[2]
    largest, _ = tf.math.top_k(tf.reshape(values, (-1, pixels)), max(1, round(TOP_SHARE * pixels)))
    return mean_behind(largest, 1)


def _scale_by_place(typical: Typical, height: int, width: int) -> NDArray[np.float32]:
    """Returns the typical error at each pixel, (height, width), smoothly between the points of its grid."""
    grid = np.array(typical.error, np.float32)[..., np.newaxis]
    with tf.init_scope():  # a constant, also while a graph is being traced
        place: NDArray[np.float32] = tf.image.resize(grid, (height, width)).numpy()[..., 0]
    return place + np.float32(_ERROR_FLOOR * place.mean() + GREY_NOISE)


def _gaussian(sigma: float) -> NDArray[np.float32]:
    radius = reach_of(sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    normalized: NDArray[np.float32] = (weights / weights.sum()).astype(np.float32)
    return normalized


def _blurred(images: Any, weights: NDArray[np.float32]) -> Any:
    """Returns images, (n, height, width, channels), filtered along both axes, mirrored at the border."""
    reach, channels = len(weights) // 2, images.shape[3]
    for axis in (1, 2):
        # By places, and not by tf.pad, which the converter spells in a dozen operators.
        places = np.pad(np.arange(images.shape[axis]), reach, mode="symmetric")
        images = tf.gather(images, places, axis=axis)
    kernel = np.tile(weights[:, np.newaxis, np.newaxis, np.newaxis], (1, 1, channels, 1))
    down = tf.nn.depthwise_conv2d(images, kernel, strides=(1, 1, 1, 1), padding="VALID")
    return tf.nn.depthwise_conv2d(down, kernel.transpose(1, 0, 2, 3), strides=(1, 1, 1, 1), padding="VALID")
