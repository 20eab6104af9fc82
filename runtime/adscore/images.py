"""From an image file to the graph's input: the one way any image, in training or in scoring, becomes pixels.

Order of the steps, each named in the detector's `ImageSpec`: first frame, 8 bits, upright, mode, size.
"""

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from adscore.errors import ImageError
from adscore.files import read_regular
from adscore.netpbm import has_unusual_maximum, scale
from adscore.opening import MAX_BYTES as MAX_BYTES
from adscore.opening import MAX_PIXELS as MAX_PIXELS
from adscore.opening import Limits as Limits
from adscore.opening import open_image
from adscore.spec import ImageSpec, Mode

Pixels = NDArray[np.uint8]

# EXIF that is larger holds more than an orientation should take.
_MOST_EXIF = 1 << 20

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

# What Pillow logs of a damaged file, it raises as well; without any handler Python would print it to stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())


_LIMITS = Limits()


def decode(source: str | Path | bytes, spec: ImageSpec, limits: Limits = _LIMITS) -> Pixels:
    """Returns the image in `source` as the graph takes it.

    Args:
        source: path of an image file, or the file's content.
        spec: the rules to follow; the detector's own, or the one a detector is being trained for.
        limits: how large file and image may be.

    Returns:
        uint8 of shape (height, width, channels).

    Raises:
        ImageError: the file cannot be read or decoded. The message is the cause alone, since a table names the file
            in another column.
    """
    content = b""
    try:
        content = source if isinstance(source, bytes) else read_regular(source, limits.bytes)
        with open_image(content, limits) as image:
            if spec.jpeg == "reduced" and isinstance(image, JpegImageFile):
                _reduce_jpeg(image, spec)
            return prepare(_load(image), spec)
    except ImageError:
        raise
    except Exception as error:  # decoders of damaged files raise nearly anything, and each is that file's fault
        raise _refused(error, content) from error


def read_header(path: str | Path, limits: Limits = _LIMITS) -> tuple[int, int, Mode]:
    """Returns (width, height, mode) of an image file as it would be decoded, without decoding its pixels.

    The file is read as a whole, so that what `decode` refuses undecoded is refused here too.

    Raises:
        ImageError: as `decode`.
    """
    content = b""
    try:
        content = read_regular(path, limits.bytes)
        with open_image(content, limits) as image:
            width, height = image.size
            if _lies_on_its_side(image):
                width, height = height, width
            return width, height, "L" if image.mode in _GREY_MODES else "RGB"
    except ImageError:
        raise
    except Exception as error:  # as in `decode`
        raise _refused(error, content) from error


def prepare(image: Image.Image, spec: ImageSpec) -> Pixels:
    """Returns an upright 8-bit image in the mode and size of `spec`, uint8 of shape (height, width, channels)."""
    if image.mode != spec.mode:
        # By way of RGB, because Pillow knows no direct way from some modes (LAB) to grey.
        image = image if image.mode in _GREY_MODES or image.mode == "RGB" else image.convert("RGB")
        image = image.convert(spec.mode)
    if image.size != (spec.width, spec.height):
        image = image.resize((spec.width, spec.height), Image.Resampling.BILINEAR)
    return np.frombuffer(image.tobytes(), np.uint8).reshape(spec.shape)


def _reduce_jpeg(image: JpegImageFile, spec: ImageSpec) -> None:
    """Lets the decoder of a JPEG do most of the reduction, and leave colour out; see `ImageSpec.jpeg`."""
    upright = (spec.width, spec.height)
    width, height = upright[::-1] if _lies_on_its_side(image) else upright
    image.draft(spec.mode, (2 * width, 2 * height))


def _load(image: Image.Image) -> Image.Image:
    """Returns the first frame, upright, 8 bits a channel."""
    if image.format == "PPM" and has_unusual_maximum(image):
        return _to_eight_bit(scale(image))
    image.load()
    # Alpha is ignored, and Pillow would warn of a transparency that it cannot carry over to another mode.
    image.info.pop("transparency", None)
    method = _UPRIGHT.get(_orientation(image))
    eight_bit = _to_eight_bit(image)
    return eight_bit.transpose(method) if method is not None else eight_bit


def _orientation(image: Image.Image) -> int:
    # Most small files have none, and asking costs a tenth of decoding one; Pillow's TIFF decoder turns them itself.
    if not image.info or image.format == "TIFF":
        return 1
    if len(image.info.get("exif", b"")) > _MOST_EXIF:
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001 - broken EXIF says nothing of the pixels, which may be sound
        return 1


def _lies_on_its_side(image: Image.Image) -> bool:
    return _orientation(image) in (5, 6, 7, 8)


def _to_eight_bit(image: Image.Image) -> Image.Image:
    # Pillow itself clips 16-bit grey at 255. Its "I" is 16 bits wide in PPM files and of no known range elsewhere.
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ImageError("32-bit pixels have no known range; convert the image to 8 or 16 bits")
    return image


def _refused(error: Exception, content: bytes) -> ImageError:
    from adscore.reasons import reason  # sound images have none

    return ImageError(reason(error, content))
