"""From an image file to the graph's input: the one way any image, in training or in scoring, becomes pixels.

Order of the steps, each named in the detector's `ImageSpec`: first frame, 8 bits, upright, mode, size.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from adscore.arguments import check_decoded
from adscore.depth import GREY_MODES, largest_sample, notice, to_eight_bit
from adscore.errors import ImageError
from adscore.files import read_regular
from adscore.opening import MAX_BYTES as MAX_BYTES
from adscore.opening import MAX_PIXELS as MAX_PIXELS
from adscore.opening import Limits as Limits
from adscore.opening import open_image
from adscore.original import Original
from adscore.resize import resize
from adscore.spec import ImageSpec

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

_SIDEWAYS = (5, 6, 7, 8)

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
        TypeError: `source` or `spec` is something else.
        ImageError: the file cannot be read or decoded. The message is the cause alone, since a table names the file
            in another column.
    """
    return decode_noting(source, spec, limits)[0]


def decode_noting(source: str | Path | bytes, spec: ImageSpec, limits: Limits = _LIMITS) -> tuple[Pixels, Original]:
    """Returns the image in `source` as `decode` does, and what it was before."""
    content = b""
    try:
        content = source if isinstance(source, bytes) else read_regular(source, limits.bytes)
        with open_image(content, limits) as image:
            original, depth = notice(image)  # now, since a JPEG that is reduced forgets it
            if spec.jpeg == "reduced" and isinstance(image, JpegImageFile):
                _reduce_jpeg(image, spec)
            eight_bit, largest = to_eight_bit(image, depth, spec.bits, lambda: open_image(content, limits))
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
        raise _refused(error, content) from error


def read_header(path: str | Path, limits: Limits = _LIMITS) -> Original:
    """Returns what an image file is as it would be decoded, without decoding its pixels.

    The file is read as a whole, so that what `decode` refuses undecoded is refused here too.

    Raises:
        ImageError: as `decode`.
    """
    with _opened(path, limits) as (image, _):
        original, _ = notice(image)
        return _turned(original, _orientation(image))


def read_largest(path: str | Path, limits: Limits = _LIMITS) -> int | None:
    """Returns the largest sample of an image in 16 bits, whatever bits it uses; None for any other.

    Raises:
        ImageError: as `decode`.
        DepthError: it can be read with all its 16 bits alone.
    """
    with _opened(path, limits) as (image, reopen):
        return largest_sample(image, reopen)


@contextmanager
def _opened(path: str | Path, limits: Limits) -> Iterator[tuple[Image.Image, Callable[[], Image.Image]]]:
    """Yields a file's picture, not decoded, and what opens it once more; any fault meanwhile is an ImageError."""
    content = b""
    try:
        content = read_regular(path, limits.bytes)
        with open_image(content, limits) as image:
            yield image, lambda: open_image(content, limits)
    except ImageError:
        raise
    except Exception as error:  # as in `decode_noting`, the hot path, which does without a generator
        raise _refused(error, content) from error


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


def _reduce_jpeg(image: JpegImageFile, spec: ImageSpec) -> None:
    """Lets the decoder of a JPEG do most of the reduction, and leave colour out; see `ImageSpec.jpeg`."""
    upright = (spec.width, spec.height)
    width, height = upright[::-1] if _orientation(image) in _SIDEWAYS else upright
    image.draft(spec.mode, (2 * width, 2 * height))


def _turned(original: Original, turn: int) -> Original:
    return original._replace(width=original.height, height=original.width) if turn in _SIDEWAYS else original


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


def _refused(error: Exception, content: bytes) -> ImageError:
    from adscore.reasons import reason  # sound images have none

    return ImageError(reason(error, content))
