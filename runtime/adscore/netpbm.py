"""PGM and PPM of an unusual maximum, as 1023 or 4095 are: the pixels that Pillow gives, in a hundredth of the time.

Pillow scales them sample by sample in Python, which takes a minute for a hundred million.
"""

from io import BytesIO
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PpmImagePlugin import PpmImageFile

from adscore.errors import ImageError

# Samples that are looked up at once, which takes 8 bytes for each.
_AT_ONCE = 1 << 20


def has_unusual_maximum(image: Image.Image) -> bool:
    """Returns whether an image that was opened but not loaded is one for `scale`."""
    return isinstance(image, PpmImageFile) and image.tile[0].codec_name == "ppm"


def maximum_of(image: Image.Image) -> int:
    """Returns the largest value that a PGM or PPM, opened and not loaded, says it may hold; 255 for its other kinds."""
    _, _, _, args = cast(PpmImageFile, image).tile[0]
    if args == "I;16B":
        return 65535
    return args[1] if isinstance(args, tuple) and len(args) == 2 else 255


def scale(image: Image.Image) -> Image.Image:
    """Returns the image in 8 bits a channel, or grey in 16 where the maximum is above 255.

    Args:
        image: opened from a BytesIO, not loaded, for which `has_unusual_maximum`.

    Raises:
        ImageError: the file is cut off.
    """
    samples, maximum = _samples(image), maximum_of(image)
    values = 256 if maximum < 256 else 65536
    mode, white, kind = ("I;16", 65535, "<u2") if image.mode == "I" else (image.mode, 255, "u1")
    scaled = np.empty(samples.size, kind)
    table = np.minimum(np.rint(np.arange(values) / maximum * white), white).astype(kind)
    for start in range(0, scaled.size, _AT_ONCE):
        scaled[start : start + _AT_ONCE] = table[samples[start : start + _AT_ONCE]]
    return Image.frombytes(mode, image.size, scaled)


def colour_samples(image: Image.Image) -> NDArray[np.uint16]:
    """Returns what a PPM of more than 8 bits holds, uint16 (height, width, 3); arguments and errors as `scale`."""
    return _samples(image).astype(np.uint16).reshape(image.height, image.width, 3)


def _samples(image: Image.Image) -> NDArray[Any]:
    file, tile = cast(BytesIO, cast(PpmImageFile, image).fp), cast(PpmImageFile, image).tile[0]
    sample = np.dtype("u1" if maximum_of(image) < 256 else ">u2")
    count = image.width * image.height * len(image.getbands())
    content = file.getvalue()
    if len(content) < tile.offset + count * sample.itemsize:
        raise ImageError("not enough image data")
    return np.frombuffer(content, sample, count, tile.offset)
