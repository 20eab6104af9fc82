"""Samples of more than 8 bits, and how they become 8: by the bits that the detector's pictures use.

A sample is shifted and never scaled by what a picture holds, so equal light gives equal pixels in every picture; what
lies beyond the bits is cut off at white. A shift takes one pass and keeps the upper 8 of the bits, as `high_byte` does.
"""

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adscore.errors import ImageError
from adscore.netpbm import colour_samples, has_unusual_maximum, maximum_of, scale
from adscore.original import Original
from adscore.spec import Mode

Samples = NDArray[np.uint16]

# What holds the samples: 8 bits or fewer; 16, of which a picture may use fewer, in grey or in colour; or a PGM or PPM
# that names a maximum of its own.
Depth = Literal["eight", "grey", "colour", "own"]

GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")

_FULL = 65535
_BITS_TAG, _PHOTOMETRIC_TAG, _WHITE_IS_ZERO = 258, 262, 0  # of a TIFF
_WIDE = (";16B", ";16L", ";16N")
# Pillow has 16-bit colour as its high bytes only. Unpacked in the other byte order, they are the low ones.
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
# Grey with alpha: two samples, unpacked as four bytes, of which the second is grey's low one.
_GREY_ALPHA = "LA;16B"


class DepthError(ImageError):
    """An image can be read with all its 16 bits alone, not with fewer."""


def notice(image: Image.Image) -> tuple[Original, Depth]:
    """Returns what an image that was opened and not loaded is, as it lies, and what holds its samples."""
    if image.mode == "L":  # as most are; to ask the rest would take a hundredth of decoding a small one
        return _as_it_lies(image.size, "L", "eight"), "eight"
    depth, rawmode = _depth(image), _rawmode(image)
    # Pillow has grey with alpha in 16 bits as colour.
    grey = image.mode in GREY_MODES or rawmode == _GREY_ALPHA
    return _as_it_lies(image.size, "L" if grey else "RGB", depth), depth


def to_eight_bit(
    image: Image.Image, depth: Depth, bits: int, reopen: Callable[[], Image.Image]
) -> tuple[Image.Image, int | None]:
    """Loads an image and returns it in 8 bits a channel, and its largest sample of 16 bits.

    The sample is None if there are none, or if they were read as the whole 16 bits.

    Args:
        image: opened and not loaded.
        depth: of it.
        bits: how many of 16 its samples use, 8 to 16.
        reopen: opens it once more.

    Raises:
        ImageError: its samples have no known range.
        DepthError: they cannot be had in so many bits.
    """
    if image.mode in ("L", "RGB") and depth == "eight" and image.format not in ("PPM", "TIFF"):
        image.load()  # as most are
        return image, None
    if depth == "colour" and bits < 16:
        return _shifted(image, _colour(image, reopen), bits)
    if has_unusual_maximum(image):
        image = scale(image)
    else:
        image.load()
    if depth == "grey":
        return _shifted(image, _grey(image), bits)
    if depth == "own" and image.mode.startswith("I"):
        return _shifted(image, _grey(image), 16)[0], None
    _refuse_unknown_range(image)
    return image, None


def largest_sample(image: Image.Image, reopen: Callable[[], Image.Image]) -> int | None:
    """Returns the largest sample of an image in 16 bits, of which it may use fewer; None for any other.

    Args:
        image: opened and not loaded.
        reopen: opens it once more.

    Raises:
        DepthError: as `to_eight_bit`.
    """
    _, depth = notice(image)
    if depth not in ("grey", "colour"):
        return None
    if depth == "colour":
        return int(_colour(image, reopen).max())
    image.load()
    return int(_grey(image).max())


@lru_cache(maxsize=16)
def _as_it_lies(size: tuple[int, int], mode: Mode, depth: Depth) -> Original:
    # The same for most images of a run, and to make it anew takes a hundredth of decoding a small one.
    return Original(*size, mode, 8 if depth == "eight" else 16, None)


def _depth(image: Image.Image) -> Depth:
    if image.format == "PPM" and (maximum := maximum_of(image)) > 255:
        return "own" if maximum < _FULL else "grey" if image.mode == "I" else "colour"
    if image.mode.startswith("I;16"):
        return "grey"
    wide = _rawmode(image).endswith(_WIDE) or max(tags_of(image).get(_BITS_TAG, (8,))) > 8
    return "colour" if wide else "eight"


def _shifted(image: Image.Image, samples: Samples, bits: int) -> tuple[Image.Image, int]:
    largest, full = int(samples.max()), (1 << bits) - 1
    pixels = np.empty(samples.shape, np.uint8)
    within = np.minimum(samples, np.uint16(full)) if largest > full else samples
    np.right_shift(within, bits - 8, out=pixels, casting="unsafe")
    if tags_of(image).get(_PHOTOMETRIC_TAG) == _WHITE_IS_ZERO:
        np.subtract(255, pixels, out=pixels)  # now, since white is what the bits say and not the file
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[1 if samples.ndim == 2 else samples.shape[2]]
    return Image.frombuffer(mode, samples.shape[1::-1], pixels, "raw", mode, 0, 1), largest


def _grey(image: Image.Image) -> Samples:
    # Pillow's "I" is 32 bits wide; of a PGM it holds 16.
    return np.asarray(image).astype(np.uint16, copy=False)


def _colour(image: Image.Image, reopen: Callable[[], Image.Image]) -> Samples:
    """Returns samples of shape (height, width) for grey with alpha, else (height, width, 3), or 4 for CMYK."""
    rawmode = _rawmode(image)
    if has_unusual_maximum(image):
        return colour_samples(image)
    # Pillow divides by alpha what it has of a sample, and `adscore.tiff` keeps the high bytes alone.
    if not rawmode.endswith(_WIDE) or rawmode.startswith("RGBa"):
        raise DepthError(
            "16-bit colour of this kind is read with all its 16 bits only; convert the image to 16-bit PNG"
        )
    image.load()
    high = np.asarray(image)
    kept = 0 if rawmode == _GREY_ALPHA else slice(4 if image.mode == "CMYK" else 3)
    samples: Samples = high[..., kept].astype(np.uint16)
    samples <<= 8
    del high
    again: Any = reopen()
    if rawmode == _GREY_ALPHA:
        again.tile = [tile._replace(args="RGBA") for tile in again.tile]
        samples |= np.asarray(again)[..., 1]
    else:
        again.tile = [tile._replace(args=in_other_order(tile.args)) for tile in again.tile]
        samples |= np.asarray(again)[..., : samples.shape[2]]
    return samples


def in_other_order(args: Any) -> Any:
    """Returns what tells a decoder of 16-bit colour to unpack the low bytes where it would the high ones."""
    if isinstance(args, tuple):
        return (in_other_order(args[0]), *args[1:])
    return args[:-1] + _OTHER_ORDER[args[-1]]


def _tiles(image: Any) -> list[Any]:
    return getattr(image, "tile", [])


def tags_of(image: Image.Image) -> Mapping[int, Any]:
    """Returns a TIFF's tags, or of one that `adscore.tiff` reads those that say how its samples are to be taken."""
    # Its class is not imported for the sake of the others.
    return getattr(image, "tag_v2", None) or getattr(image, "sample_tags", {})


def _rawmode(image: Image.Image) -> str:
    """Returns how a decoder unpacks what is stored."""
    for tile in _tiles(image):
        return str(tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args)
    return ""


def _refuse_unknown_range(image: Image.Image) -> None:
    if image.mode in ("I", "F"):
        raise ImageError("32-bit pixels have no known range; convert the image to 8 or 16 bits")
