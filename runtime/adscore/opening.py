"""From the bytes of an image file to a picture whose size and mode are known, and whose pixels are not read yet."""

import re
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from adscore.containers import examine, without_exif
from adscore.errors import ImageError

# Formats whose decoders are part of every Pillow and that cameras and scanners write; Pillow tries no other.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
# A BMP without its first 14 bytes, as .dib files may be.
_DECODERS = (*FORMATS, "DIB")

TIFF_BEGINNINGS = (b"II*\0", b"II\0*", b"MM*\0", b"MM\0*", b"II+\0", b"MM\0+")

# A small file may claim to be huge; decoding takes at most some 16 bytes a pixel (TIFF), so up to 1.4 GB.
MAX_PIXELS = 89_478_485
# Twice what so many pixels take in 24 bits, as a file without compression holds them.
MAX_BYTES = 1 << 29
# Resizing takes a table of some 16 bytes for each pixel of a side.
_MOST_SIDE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """How much one image may claim; what is larger is refused before memory is taken for it.

    Pillow itself refuses more than twice its own `PIL.Image.MAX_IMAGE_PIXELS`, whatever is allowed here.
    """

    pixels: int = MAX_PIXELS
    bytes: int = MAX_BYTES  # of the file

    def __post_init__(self) -> None:
        if self.pixels < 1 or self.bytes < 1:
            raise ValueError(f"limits are {self.pixels} pixels and {self.bytes} bytes and must be at least 1")


def open_image(content: bytes, limits: Limits) -> Image.Image:
    """Returns the picture in a file's content; its pixels are read once they are asked for.

    Raises:
        ImageError: it claims more than is allowed, or is of a kind that is not read.
        Exception: what Pillow raises of files that are damaged or no images; `adscore.reasons` puts it into words.
    """
    try:
        if content.startswith(TIFF_BEGINNINGS):
            from adscore.tiff import open_tiff  # most need it not, and it takes some of the time to score one image

            image = open_tiff(content, limits.pixels)
        else:
            image = _identify(examine(content))
    except Image.DecompressionBombError as error:  # more than twice what Pillow allows by itself
        (claimed, *_) = re.findall(r"\d+", str(error))
        raise ImageError(f"{claimed} pixels are more than the {limits.pixels} allowed") from error
    # Checked here and not by Pillow's own warning, whose filters are global and not safe with threads.
    width, height = image.size
    if width * height > limits.pixels:
        raise ImageError(f"{width}x{height} pixels are more than the {limits.pixels} allowed")
    if width > _MOST_SIDE or height > _MOST_SIDE:
        raise ImageError(f"{width}x{height} pixels have a side of more than {_MOST_SIDE}")
    return image


def _identify(content: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(content), formats=_DECODERS)
    except UnidentifiedImageError:
        # Pillow looks for a resolution in a JPEG's EXIF, which may be broken where the pixels are sound.
        rest = without_exif(content)
        if len(rest) == len(content):
            raise
        return _identify(rest)
