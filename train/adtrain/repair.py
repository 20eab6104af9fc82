"""Damage for training to repair: the network sees a damaged image and is asked for the whole one.

An autoencoder that only copies learns to copy defects too. One that is shown noise and foreign patches, and is asked
for what was there before, learns to put a normal part in the place of whatever it is given. After "Structured
corruption" (arXiv 2511.07233) and "Self-supervised training with autoencoders" (arXiv 2206.11723), with two kinds of
damage: noise over the whole image, and a rectangle filled with another image's pixels or with one colour.
"""

import numpy as np
from numpy.typing import NDArray

# The noise of an image has a standard deviation drawn from 0 to this; pixels are in 0..1.
NOISE = 0.5
# The sides of the rectangle are drawn from these shares of the image's.
PATCH = (0.05, 0.8)
# Share of rectangles that hold another image's pixels; the others hold one colour.
PASTED = 0.5
# A pasted piece is moved by up to this share of the side, or it would show the same place of another part.
SHIFT = 0.25


def damage(images: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Returns the images, float32 (n, height, width, channels) in 0..1, each with noise and one rectangle replaced."""
    number, height, width, channels = images.shape
    each = (number, 1, 1, 1)
    noise = random.standard_normal(images.shape, np.float32) * random.uniform(0, NOISE, each).astype(np.float32)
    noisy = images + noise
    shift = [int(random.integers(-round(SHIFT * side), round(SHIFT * side) + 1)) for side in (height, width)]
    others = np.roll(noisy[random.permutation(number)], shift, axis=(1, 2))
    colours = random.uniform(0, 1, (number, 1, 1, channels)).astype(np.float32)
    filling = np.where(random.uniform(size=each) < PASTED, others, colours)
    return np.where(_rectangles(number, height, width, random), filling, noisy)


def _rectangles(number: int, height: int, width: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Returns masks with one rectangle each, bool (number, height, width, 1)."""
    down, across = np.arange(height)[np.newaxis, :, np.newaxis], np.arange(width)[np.newaxis, np.newaxis, :]
    inside = np.ones((number, height, width), bool)
    for places, side in ((down, height), (across, width)):
        middle = random.uniform(0, side, (number, 1, 1))
        half = random.uniform(*PATCH, (number, 1, 1)) * side / 2
        inside &= np.abs(places - middle) < half
    return inside[..., np.newaxis]
