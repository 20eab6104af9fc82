"""From an image file to the graph's input: the one way any image, in training or in scoring, becomes pixels.

Order of the steps, each named in the detector's `ImageSpec`: first frame, 8 bits, upright, mode, size.
"""

import ctypes
import zlib
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError, _imaging
from PIL.JpegImagePlugin import JpegImageFile

from adscore.errors import ImageError
from adscore.files import open_regular, read_regular
from adscore.spec import ImageSpec, Mode

Pixels = NDArray[np.uint8]

# Formats whose decoders are part of every Pillow and that cameras and scanners write; Pillow tries no other.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

# A small file may claim to be huge; decoding takes at most some 15 bytes a pixel (WEBP), so up to 1.4 GB.
MAX_PIXELS = 89_478_485
# Twice what so many pixels take in 24 bits, as a file without compression holds them.
MAX_BYTES = 1 << 29

_ORIENTATION_TAG = 0x0112
_PHOTOMETRIC_TAG, _WHITE_IS_ZERO = 262, 0
_SAMPLE_FORMAT_TAG, _SIGNED = 339, 2
_SCAN = b"\xff\xda"
# Usual are ten.
_MOST_SCANS = 1000
_PNG = b"\x89PNG\r\n\x1a\n"

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
        ImageError: the file cannot be read or decoded. The message is the cause alone, since a table names the file
            in another column.
    """
    try:
        content = source if isinstance(source, bytes) else read_regular(source, limits.bytes)
        _check_png(content)
        with _open(BytesIO(content), limits) as image:
            if isinstance(image, JpegImageFile):
                _check_scans(content, image)
                if spec.jpeg == "reduced":
                    _reduce_jpeg(image, spec)
            return prepare(_load(image), spec)
    except ImageError:
        raise
    except Exception as error:  # decoders of damaged files raise nearly anything, and each is that file's fault
        raise ImageError(_cause(error)) from error


def read_header(path: str | Path, limits: Limits = _LIMITS) -> tuple[int, int, Mode]:
    """Returns (width, height, mode) of an image file as it would be decoded, without decoding it.

    Raises:
        ImageError: as `decode`.
    """
    try:
        with open_regular(path, limits.bytes) as file, _open(file, limits) as image:
            width, height = image.size
            # Pillow's TIFF decoder has swapped the sides already.
            if _lies_on_its_side(image) and image.format != "TIFF":
                width, height = height, width
            return width, height, "L" if image.mode in _GREY_MODES else "RGB"
    except ImageError:
        raise
    except Exception as error:  # as in `decode`
        raise ImageError(_cause(error)) from error


def prepare(image: Image.Image, spec: ImageSpec) -> Pixels:
    """Returns an upright 8-bit image in the mode and size of `spec`, uint8 of shape (height, width, channels)."""
    if image.mode != spec.mode:
        # By way of RGB, because Pillow knows no direct way from some modes (LAB) to grey.
        image = image if image.mode in _GREY_MODES or image.mode == "RGB" else image.convert("RGB")
        image = image.convert(spec.mode)
    if image.size != (spec.width, spec.height):
        image = image.resize((spec.width, spec.height), Image.Resampling.BILINEAR)
    return np.frombuffer(image.tobytes(), np.uint8).reshape(spec.shape)


def _open(file: BinaryIO, limits: Limits) -> Image.Image:
    try:
        image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise ImageError(_unidentified(file)) from error
    # Checked here and not by Pillow's own warning, whose filters are global and not safe with threads.
    if image.width * image.height > limits.pixels:
        image.close()
        raise ImageError(f"{image.width}x{image.height} pixels are more than the {limits.pixels} allowed")
    if image.format == "TIFF":
        _silence_libtiff()
    return image


def _reduce_jpeg(image: JpegImageFile, spec: ImageSpec) -> None:
    """Lets the decoder of a JPEG do most of the reduction, and leave colour out; see `ImageSpec.jpeg`."""
    upright = (spec.width, spec.height)
    width, height = upright[::-1] if _lies_on_its_side(image) else upright
    image.draft(spec.mode, (2 * width, 2 * height))


def _check_scans(content: bytes, image: JpegImageFile) -> None:
    """Raises ImageError for a JPEG of so many scans that it would take minutes: each is a pass over all pixels."""
    assert image.fp is not None  # noqa: S101 - it is open
    first = content.rfind(_SCAN, 0, image.fp.tell())
    # Most have one scan of all colours, after which the decoder stops: those are not searched for more.
    if "progressive" in image.info or content[first + 4] != image.layers:
        scans = content.count(_SCAN)
        if scans > _MOST_SCANS:
            raise ImageError(f"a JPEG of {scans} scans, which are more than the {_MOST_SCANS} allowed")


def _load(image: Image.Image) -> Image.Image:
    """Returns the first frame, upright, 8 bits a channel."""
    image.load()
    # Alpha is ignored, and Pillow would warn of a transparency that it cannot carry over to another mode.
    image.info.pop("transparency", None)
    # After load, since Pillow's TIFF decoder turns the picture itself and then drops the tag.
    method = _UPRIGHT.get(_orientation(image))
    eight_bit = _to_eight_bit(image)
    return eight_bit.transpose(method) if method is not None else eight_bit


def _orientation(image: Image.Image) -> int:
    if not image.info and image.format != "TIFF":
        return 1  # as for most small files; asking costs a tenth of decoding one
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001 - broken EXIF says nothing of the pixels, which may be sound
        return 1


def _lies_on_its_side(image: Image.Image) -> bool:
    return _orientation(image) in (5, 6, 7, 8)


def _to_eight_bit(image: Image.Image) -> Image.Image:
    tags = getattr(image, "tag_v2", {})  # a TIFF's; its class is not imported for the sake of the others
    # Pillow itself clips 16-bit grey at 255. Its "I" is 16 bits wide in PPM files and of no known range elsewhere.
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        pixels = (np.asarray(image) >> 8).astype(np.uint8)
        # Pillow turns such TIFFs to black is zero up to 8 bits only.
        return Image.fromarray(255 - pixels if tags.get(_PHOTOMETRIC_TAG) == _WHITE_IS_ZERO else pixels)
    if _SIGNED in tags.get(_SAMPLE_FORMAT_TAG, ()):
        raise ImageError("signed pixels have no known range; convert the image to unsigned 8 or 16 bits")
    if image.mode in ("I", "F"):
        raise ImageError("32-bit pixels have no known range; convert the image to 8 or 16 bits")
    return image


def _unidentified(file: BinaryIO) -> str:
    """Returns what a file is that no decoder took: damaged, by the bytes it begins with, or something else."""
    file.seek(0)
    prefix = file.read(16)
    for name in FORMATS:
        accept = Image.OPEN[name][1]
        if accept is not None and accept(prefix) is True:
            return f"a {name} file that is damaged, or of a kind that cannot be read"
    return f"not an image in a known format ({', '.join(FORMATS)})"


def _check_png(content: bytes) -> None:
    """Raises ImageError if a checksum of PNG's pixels is wrong; Pillow checks those of all other parts."""
    if not content.startswith(_PNG):
        return
    view, start = memoryview(content), len(_PNG)
    while start + 12 <= len(content):
        end = start + 8 + int.from_bytes(content[start : start + 4])  # length, name, data, checksum of the last two
        if content[start + 4 : start + 8] == b"IDAT" and zlib.crc32(view[start + 4 : end]) != int.from_bytes(
            content[end : end + 4]
        ):
            raise ImageError("damaged or truncated PNG: the checksum of its pixels is wrong")
        start = end + 4


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
