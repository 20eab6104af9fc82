"""PGM and PPM of an unusual maximum, as 1023 or 4095 are: the pixels that Pillow gives, in a hundredth of the time.

Pillow scales them sample by sample in Python, which takes a minute for a hundred million.
"""

from io import BytesIO
from typing import cast

import numpy as np
from PIL import Image
from PIL.PpmImagePlugin import PpmImageFile

from adscore.errors import ImageError

# Samples that are looked up at once, which takes 8 bytes for each.
_AT_ONCE = 1 << 20


def has_unusual_maximum(image: Image.Image) -> bool:
    """Returns whether an image that was opened but not loaded is one for `scale`."""
    return isinstance(image, PpmImageFile) and image.tile[0].codec_name == "ppm"


def scale(image: Image.Image) -> Image.Image:
    """Returns the image in 8 bits a channel, or grey in 16 where the maximum is above 255.

    Args:
        image: opened from a BytesIO, not loaded, for which `has_unusual_maximum`.

    Raises:
        ImageError: the file is cut off.
    """
    file, tile = cast(BytesIO, cast(PpmImageFile, image).fp), cast(PpmImageFile, image).tile[0]
    _, maximum = cast(tuple[str, int], tile.args)
    sample, values = (np.dtype("u1"), 256) if maximum < 256 else (np.dtype(">u2"), 65536)
    mode, white, kind = ("I;16", 65535, "<u2") if image.mode == "I" else (image.mode, 255, "u1")
    scaled = np.empty(image.width * image.height * len(image.getbands()), kind)
    content = file.getvalue()
    if len(content) < tile.offset + scaled.size * sample.itemsize:
        raise ImageError("not enough image data")
    samples = np.frombuffer(content, sample, scaled.size, tile.offset)
    table = np.minimum(np.rint(np.arange(values) / maximum * white), white).astype(kind)
    for start in range(0, scaled.size, _AT_ONCE):
        scaled[start : start + _AT_ONCE] = table[samples[start : start + _AT_ONCE]]
    return Image.frombytes(mode, image.size, scaled)
