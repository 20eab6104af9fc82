"""From an image file to the graph's input: the one way any image, in training or in scoring, becomes pixels.

Order of the steps, each named in the detector's `ImageSpec`: first frame, 8 bits, upright, mode, size.
"""

import stat
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from adscore.errors import ImageError
from adscore.spec import ImageSpec, Mode

Pixels = NDArray[np.uint8]

# Formats whose decoders are part of every Pillow and that cameras and scanners write; Pillow tries no other.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

# A small file may claim to be huge; at 4 bytes a pixel this keeps one decoded image under 400 MB.
MAX_PIXELS = 89_478_485

# Besides OSError, Pillow's decoders raise these on damaged files; a Warning, where the caller makes warnings errors.
_DECODER_FAULTS = (
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    IndexError,
    KeyError,
    NotImplementedError,
    EOFError,
    OverflowError,
    MemoryError,
    struct.error,
    Image.DecompressionBombError,
    Warning,
)

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")


def decode(source: str | Path | bytes, spec: ImageSpec) -> Pixels:
    """Returns the image in `source` as the graph takes it.

    Args:
        source: path of an image file, or the file's content.
        spec: the rules to follow; the detector's own, or the one a detector is being trained for.

    Returns:
        uint8 of shape (height, width, channels).

    Raises:
        ImageError: the file cannot be read or decoded. The message is the cause alone, since a table names the file
            in another column.
    """
    try:
        with _open(source) as image:
            return prepare(_load(image), spec)
    except _DECODER_FAULTS as error:
        raise ImageError(_cause(error)) from error


def read_header(path: str | Path) -> tuple[int, int, Mode]:
    """Returns (width, height, mode) of an image file as it would be decoded, without decoding it.

    Raises:
        ImageError: as `decode`.
    """
    try:
        with _open(path) as image:
            width, height = image.size
            # 5 to 8 swap the sides; Pillow's TIFF decoder has swapped them already.
            if _orientation(image) >= 5 and image.format != "TIFF":
                width, height = height, width
            return width, height, "L" if image.mode in _GREY_MODES else "RGB"
    except _DECODER_FAULTS as error:
        raise ImageError(_cause(error)) from error


def prepare(image: Image.Image, spec: ImageSpec) -> Pixels:
    """Returns an upright 8-bit image in the mode and size of `spec`, uint8 of shape (height, width, channels)."""
    if image.mode != spec.mode:
        # By way of RGB, because Pillow knows no direct way from some modes (LAB) to grey.
        image = image if image.mode in _GREY_MODES or image.mode == "RGB" else image.convert("RGB")
        image = image.convert(spec.mode)
    if image.size != (spec.width, spec.height):
        image = image.resize((spec.width, spec.height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8).reshape(spec.shape)


def _open(source: str | Path | bytes) -> Image.Image:
    # A pipe would be waited for, a device read without end.
    if not isinstance(source, bytes) and not stat.S_ISREG(mode := Path(source).stat().st_mode):
        raise ImageError("Is a directory" if stat.S_ISDIR(mode) else "not a regular file")
    image = Image.open(BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
    # Checked here and not by Pillow's own warning, whose filters are global and not safe with threads.
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise ImageError(f"{image.width}x{image.height} pixels are more than the {MAX_PIXELS} allowed")
    return image


def _load(image: Image.Image) -> Image.Image:
    """Returns the first frame, upright, 8 bits a channel."""
    image.load()
    # After load, since Pillow's TIFF decoder turns the picture itself and then drops the tag.
    method = _UPRIGHT.get(_orientation(image))
    eight_bit = _to_eight_bit(image)
    return eight_bit.transpose(method) if method is not None else eight_bit


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except _DECODER_FAULTS:
        return 1  # broken EXIF says nothing of the pixels, which may be sound


def _to_eight_bit(image: Image.Image) -> Image.Image:
    # Pillow itself clips 16-bit grey at 255. Its "I" is 16 bits wide in PPM files and of no known range elsewhere.
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ImageError("32-bit pixels have no known range; convert the image to 8 or 16 bits")
    return image


def _cause(error: Exception) -> str:
    """Returns a short reason, without the path that Pillow and the system put into theirs."""
    if isinstance(error, UnidentifiedImageError):
        return f"not an image in a known format ({', '.join(FORMATS)})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
