"""The convolutional autoencoder."""

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from adexport.reduction import reach_of
from adscore.errors import InputError

STRIDE = 2
LEAK = 0.2
_DARKEST = 0.01


class Autoencoder(NamedTuple):
    """The whole and its halves; the halves share the weights of the whole. Each is an uncompiled `keras.Model`."""

    encoder: Any  # (batch, height, width, channels) -> (batch, latent)
    decoder: Any  # (batch, latent) -> (batch, height, width, channels)
    autoencoder: Any  # the one after the other


def build_autoencoder(
    height: int,
    width: int,
    channels: int,
    *,
    filters: tuple[int, ...] = (32, 64),
    latent: int = 16,
    decoder: Literal["narrow", "wide"] = "wide",
    momentum: float = 0.99,
) -> Autoencoder:
    """Returns an autoencoder for float32 images in 0..1.

    Each of `filters` halves the picture: convolution 3x3 of stride 2, leaky ReLU, batch normalisation; then a dense
    layer to the latent vector. The decoder mirrors that and ends in a sigmoid. A wide decoder has as many filters as
    the encoder, a narrow one half of them, which makes a third of the arithmetic.

    Args:
        height: rows, divisible by 2^len(filters).
        width: columns, divisible by 2^len(filters).
        channels: 1 for grey, 3 for RGB.
        filters: filters of each convolution, from the image inwards.
        latent: length of the latent vector.
        decoder: "wide" or "narrow".
        momentum: of the running statistics in batch normalisation; the nearer to 1, the longer they remember.

    Raises:
        InputError: height or width does not halve so often; the message names the nearest that do.
    """
    check_size(height, width, filters)
    image = keras.Input((height, width, channels), name="image")
    hidden = image
    for count in filters:
        hidden = layers.Conv2D(count, 3, strides=STRIDE, padding="same")(hidden)
        hidden = layers.LeakyReLU(negative_slope=LEAK)(hidden)
        hidden = layers.BatchNormalization(momentum=momentum)(hidden)
    volume = tuple(hidden.shape[1:])
    encoder = keras.Model(image, layers.Dense(latent)(layers.Flatten()(hidden)), name="encoder")

    code = keras.Input((latent,), name="latent")
    hidden = layers.Reshape(volume)(layers.Dense(math.prod(volume))(code))
    share = 2 if decoder == "narrow" else 1
    for count in reversed(filters):
        hidden = layers.Conv2DTranspose(max(1, count // share), 3, strides=STRIDE, padding="same")(hidden)
        hidden = layers.LeakyReLU(negative_slope=LEAK)(hidden)
        hidden = layers.BatchNormalization(momentum=momentum)(hidden)
    hidden = layers.Conv2DTranspose(channels, 3, padding="same")(hidden)
    decode = keras.Model(code, layers.Activation("sigmoid")(hidden), name="decoder")

    return Autoencoder(encoder, decode, keras.Model(image, decode(encoder(image)), name="autoencoder"))


def start_at(built: Autoencoder, brightness: NDArray[np.float32]) -> None:
    """Lets an untrained network answer about this brightness, (channels,) in 0..1.

    A sigmoid starts at one half. Where most pixels are black, the first steps push it so far down that its slope is
    nearly nothing, and training may stand still for many epochs.
    """
    safe = np.clip(brightness, _DARKEST, 1 - _DARKEST)
    built.decoder.layers[-2].bias.assign(np.log(safe / (1 - safe)))


def check_size(height: int, width: int, filters: tuple[int, ...], tile: int = 0) -> None:
    """Raises InputError unless height and width halve as often as there are filters, or are multiples of the tile."""
    unit = tile or halvings(filters)
    if tile % halvings(filters):
        raise InputError(
            f"--tile is {tile} and does not fit {len(filters)} halvings; it must be a multiple of {halvings(filters)}"
        )
    if height % unit or width % unit or height < unit or width < unit:
        fits = [
            (_multiple(width, unit, rounded), _multiple(height, unit, rounded)) for rounded in (math.floor, math.ceil)
        ]
        choices = " or ".join(f"{fit[0]}x{fit[1]}" for fit in sorted(set(fits)))
        cause = f"tiles of {tile}" if tile else f"{len(filters)} halvings"
        raise InputError(
            f"image size {width}x{height} does not fit {cause}: width and height must be multiples of "
            f"{unit}; the nearest sizes that fit are {choices}, chosen with --size"
        )


def check_blur(height: int, width: int, blur: float) -> None:
    """Raises InputError if the blur reaches further than the picture, beyond which there is nothing to mirror."""
    reach, side = reach_of(blur), min(height, width)
    if reach > side:
        raise InputError(
            f"--blur {blur:g} reaches {reach} pixels and the picture's shorter side is {side}; give at most "
            f"{side / 3:.3g}"
        )


def halvings(filters: tuple[int, ...]) -> int:
    """Returns what height and width must be multiples of."""
    return int(STRIDE ** len(filters))


def nearest_multiple(length: float, unit: int) -> int:
    """Returns the multiple of `unit` nearest to `length`, at least one."""
    return _multiple(length, unit, _half_up)


def _multiple(length: float, unit: int, rounded: Callable[[float], int]) -> int:
    return max(unit, rounded(length / unit) * unit)


def _half_up(value: float) -> int:
    return math.floor(value + 0.5)
