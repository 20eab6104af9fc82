"""From an image file to the graph's input: the one way any image, in training or in scoring, becomes pixels.

Order of the steps, each named in the detector's `ImageSpec`: first frame, 8 bits, upright, mode, size.
"""

import ctypes
import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError, _imaging
from PIL.JpegImagePlugin import JpegImageFile

from adscore.arguments import check_decoded
from adscore.containers import examine, without_exif
from adscore.depth import GREY_MODES, largest_sample, notice, to_eight_bit
from adscore.errors import ImageError
from adscore.files import read_regular
from adscore.original import Original
from adscore.resize import resize
from adscore.spec import ImageSpec

Pixels = NDArray[np.uint8]

# Formats whose decoders are part of every Pillow and that cameras and scanners write; Pillow tries no other.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

# A small file may claim to be huge; decoding takes at most some 15 bytes a pixel (WEBP), so up to 1.4 GB.
MAX_PIXELS = 89_478_485
# Twice what so many pixels take in 24 bits, as a file without compression holds them.
MAX_BYTES = 1 << 29
# Resizing takes a table of some 16 bytes for each pixel of a side.
_MOST_SIDE = 1_000_000
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

_SIDEWAYS = (5, 6, 7, 8)

# What Pillow logs of a damaged file, it raises as well; without any handler Python would print it to stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())


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
        TypeError: `source` or `spec` is something else.
        ImageError: the file cannot be read or decoded. The message is the cause alone, since a table names the file
            in another column.
    """
    return decode_noting(source, spec, limits)[0]


def decode_noting(source: str | Path | bytes, spec: ImageSpec, limits: Limits = _LIMITS) -> tuple[Pixels, Original]:
    """Returns the image in `source` as `decode` does, and what it was before."""
    try:
        content = source if isinstance(source, bytes) else read_regular(source, limits.bytes)
        with _open(content, limits) as image:
            original, depth = notice(image)  # now, since a JPEG that is reduced forgets it
            if spec.jpeg == "reduced" and isinstance(image, JpegImageFile):
                _reduce_jpeg(image, spec)
            eight_bit, largest = to_eight_bit(image, depth, spec.bits, lambda: _identify(content))
            # Alpha is ignored, and Pillow would warn of a transparency that it cannot carry over to another mode.
            eight_bit.info.pop("transparency", None)
            # After it was loaded, since Pillow's TIFF decoder turns the picture itself and then drops the tag.
            turn = _orientation(image)
            if turn in _UPRIGHT:
                eight_bit, original = eight_bit.transpose(_UPRIGHT[turn]), _turned(original, turn)
            if largest is not None:
                original = original._replace(largest=largest)
            return prepare(eight_bit, spec), original
    except ImageError:
        raise
    except Exception as error:  # decoders of damaged files raise nearly anything, and each is that file's fault
        check_decoded(source, spec)
        raise ImageError(_cause(error)) from error


def read_header(path: str | Path, limits: Limits = _LIMITS) -> Original:
    """Returns what an image file is as it would be decoded, without decoding its pixels.

    The file is read as a whole, so that what `decode` refuses undecoded is refused here too.

    Raises:
        ImageError: as `decode`.
    """
    try:
        with _open(read_regular(path, limits.bytes), limits) as image:
            original, _ = notice(image)
            # Pillow's TIFF decoder has swapped the sides already.
            return original if image.format == "TIFF" else _turned(original, _orientation(image))
    except ImageError:
        raise
    except Exception as error:  # as in `decode`
        raise ImageError(_cause(error)) from error


def read_largest(path: str | Path, limits: Limits = _LIMITS) -> int | None:
    """Returns the largest sample of an image in 16 bits, whatever bits it uses; None for any other.

    Raises:
        ImageError: as `decode`.
        DepthError: it can be read with all its 16 bits alone.
    """
    try:
        content = read_regular(path, limits.bytes)
        with _open(content, limits) as image:
            return largest_sample(image, lambda: _identify(content))
    except ImageError:
        raise
    except Exception as error:  # as in `decode`
        raise ImageError(_cause(error)) from error


def prepare(image: Image.Image, spec: ImageSpec) -> Pixels:
    """Returns an upright 8-bit image in the mode and size of `spec`, uint8 of shape (height, width, channels).

    Raises:
        ImageError: it would take more memory on the way than any image may.
    """
    if image.mode != spec.mode:
        # By way of RGB, because Pillow knows no direct way from some modes (LAB) to grey.
        image = image if image.mode in GREY_MODES or image.mode == "RGB" else image.convert("RGB")
        image = image.convert(spec.mode)
    if image.size != (spec.width, spec.height):
        image = resize(image, spec.width, spec.height)
    return np.frombuffer(image.tobytes(), np.uint8).reshape(spec.shape)


def _open(content: bytes, limits: Limits) -> Image.Image:
    content = examine(content, limits.pixels)
    image = _identify(content)
    # Checked here and not by Pillow's own warning, whose filters are global and not safe with threads.
    width, height = image.size
    if width * height > limits.pixels:
        raise ImageError(f"{width}x{height} pixels are more than the {limits.pixels} allowed")
    if width > _MOST_SIDE or height > _MOST_SIDE:
        raise ImageError(f"{width}x{height} pixels have a side of more than {_MOST_SIDE}")
    if image.format == "TIFF":
        _silence_libtiff()
    return image


def _identify(content: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        # Pillow looks for a resolution in a JPEG's EXIF, which may be broken where the pixels are sound.
        rest = without_exif(content)
        if len(rest) < len(content):
            return _identify(rest)
        raise ImageError(_unidentified(content)) from error


def _reduce_jpeg(image: JpegImageFile, spec: ImageSpec) -> None:
    """Lets the decoder of a JPEG do most of the reduction, and leave colour out; see `ImageSpec.jpeg`."""
    upright = (spec.width, spec.height)
    width, height = upright[::-1] if _orientation(image) in _SIDEWAYS else upright
    image.draft(spec.mode, (2 * width, 2 * height))


def _turned(original: Original, turn: int) -> Original:
    return original._replace(width=original.height, height=original.width) if turn in _SIDEWAYS else original


def _orientation(image: Image.Image) -> int:
    if not image.info and image.format != "TIFF":
        return 1  # as for most small files; asking costs a tenth of decoding one
    if len(image.info.get("exif", b"")) > _MOST_EXIF:
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001 - broken EXIF says nothing of the pixels, which may be sound
        return 1


def _unidentified(content: bytes) -> str:
    """Returns what a file is that no decoder took: damaged, by the bytes it begins with, or something else."""
    for name in FORMATS:
        accept = Image.OPEN[name][1]
        if accept is not None and accept(content[:16]) is True:
            return f"a {name} file that is damaged, or of a kind that cannot be read"
    return f"not an image in a known format ({', '.join(FORMATS)})"


@cache
def _silence_libtiff() -> None:
    # It prints to stderr by itself; what matters of it, Pillow raises. Where it is built in, the function is not found.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


def _cause(error: Exception) -> str:
    """Returns a short reason, without the path that Pillow and the system put into theirs."""
    if isinstance(error, MemoryError):
        return "not enough memory to decode it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__
