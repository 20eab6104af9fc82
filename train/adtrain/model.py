"""The convolutional autoencoder."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import layers

from adscore.errors import InputError

STRIDE = 2
LEAK = 0.2


class Autoencoder(NamedTuple):
    """The whole and its halves; the halves share the weights of the whole. Each is an uncompiled `keras.Model`."""

    encoder: Any  # (batch, height, width, channels) -> (batch, latent)
    decoder: Any  # (batch, latent) -> (batch, height, width, channels)
    autoencoder: Any  # the one after the other


def build_autoencoder(
    height: int, width: int, channels: int, *, filters: tuple[int, ...] = (32, 64), latent: int = 16
) -> Autoencoder:
    """Returns an autoencoder for float32 images in 0..1.

    Each of `filters` halves the picture: convolution 3x3 of stride 2, leaky ReLU, batch normalisation; then a dense
    layer to the latent vector. The decoder mirrors that and ends in a sigmoid.

    Args:
        height: rows, divisible by 2^len(filters).
        width: columns, divisible by 2^len(filters).
        channels: 1 for grey, 3 for RGB.
        filters: filters of each convolution, from the image inwards.
        latent: length of the latent vector.

    Raises:
        InputError: height or width does not halve so often; the message names the nearest that do.
    """
    check_size(height, width, filters)
    image = keras.Input((height, width, channels), name="image")
    hidden = image
    for count in filters:
        hidden = layers.Conv2D(count, 3, strides=STRIDE, padding="same")(hidden)
        hidden = layers.LeakyReLU(negative_slope=LEAK)(hidden)
        hidden = layers.BatchNormalization()(hidden)
    volume = tuple(hidden.shape[1:])
    encoder = keras.Model(image, layers.Dense(latent)(layers.Flatten()(hidden)), name="encoder")

    code = keras.Input((latent,), name="latent")
    hidden = layers.Reshape(volume)(layers.Dense(math.prod(volume))(code))
    for count in reversed(filters):
        hidden = layers.Conv2DTranspose(count, 3, strides=STRIDE, padding="same")(hidden)
        hidden = layers.LeakyReLU(negative_slope=LEAK)(hidden)
        hidden = layers.BatchNormalization()(hidden)
    hidden = layers.Conv2DTranspose(channels, 3, padding="same")(hidden)
    decoder = keras.Model(code, layers.Activation("sigmoid")(hidden), name="decoder")

    return Autoencoder(encoder, decoder, keras.Model(image, decoder(encoder(image)), name="autoencoder"))


def check_size(height: int, width: int, filters: tuple[int, ...]) -> None:
    """Raises InputError unless height and width halve as often as there are filters."""
    unit = STRIDE ** len(filters)
    if height % unit or width % unit or height < unit or width < unit:
        fits = [
            (_multiple(width, unit, rounded), _multiple(height, unit, rounded)) for rounded in (math.floor, math.ceil)
        ]
        choices = " or ".join(f"{fit[0]}x{fit[1]}" for fit in sorted(set(fits)))
        raise InputError(
            f"image size {width}x{height} does not fit {len(filters)} halvings: width and height must be multiples of "
            f"{unit}; the nearest sizes that fit are {choices}, chosen with --size"
        )


def nearest_size(height: int, width: int, filters: tuple[int, ...]) -> tuple[int, int]:
    """Returns the (height, width) nearest to the given that halves as often as there are filters."""
    unit = STRIDE ** len(filters)
    return _multiple(height, unit, _half_up), _multiple(width, unit, _half_up)


def _multiple(length: int, unit: int, rounded: Callable[[float], int]) -> int:
    return max(unit, rounded(length / unit) * unit)


def _half_up(value: float) -> int:
    return math.floor(value + 0.5)
