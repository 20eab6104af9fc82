"""From the file of a mask to the places that it marks: whatever is above zero, however it is stored.

Not by `adscore.images.decode`, which brings pictures to eight bits and leaves alpha out: a mask of 255 in 16 bits, or
one in alpha, would be black.
"""

from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from adscore.depth import in_other_order, tags_of
from adscore.errors import ImageError, InputError
from adscore.files import read_regular
from adscore.images import MAX_BYTES, read_header
from adscore.opening import TIFF_BEGINNINGS, Limits, open_image
from adscore.reasons import reason

# In formats that do not keep values, zeros come back as small ones: there this and more of 255 is marked.
LEAST_LOSSY = 128

_LOSSY_TIFF = ("jpeg", "tiff_jpeg", "webp")
_ORIENTATION_TAG = 0x0112
_TURNED, _ON_ITS_SIDE = 2, (5, 6, 7, 8)
_BITS_TAG, _PHOTOMETRIC_TAG, _WHITE_IS_ZERO = 258, 262, 0
_EIGHT_BITS = 255
_UNREAD = "16 bits a channel, in colour or with alpha, of a kind that is not read; save it in 8 bits"

Marks = NDArray[np.bool_]  # (height, width)


def read_mask(mask: Path, picture: Path) -> Marks:
    """Returns what a mask marks in its picture, at the size of the upright picture.

    A mask is made upright by its own EXIF. Where it has none and is as large as the picture before that was turned by
    its EXIF, it is turned alike.

    Raises:
        ImageError: the picture cannot be read.
        InputError: the mask cannot be read, or is of another size.
    """
    width, height, *_ = read_header(picture)
    try:
        own_width, own_height = _upright_size(mask)
        turned = (own_width, own_height) == (height, width) != (width, height) and _orientation(picture) in _ON_ITS_SIDE
        if (own_width, own_height) != (width, height) and not (turned and _orientation(mask) < _TURNED):
            raise ImageError(f"it is {own_width}x{own_height} and its picture {width}x{height}")
        marks = _read(mask, turn=_orientation(picture) if turned else None)
    except Exception as error:  # decoders of damaged files raise nearly anything, and each is that file's fault
        cause = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{mask}: the mask cannot be read ({cause}); repair or remove it") from error
    return marks


def _read(path: Path, turn: int | None) -> Marks:
    """Returns what a mask marks, turned by its own EXIF, or by this orientation."""
    content = read_regular(path, MAX_BYTES)
    with _open(content) as image:
        least = LEAST_LOSSY if _is_lossy(image, content) else 1
        below = _low_bytes(content, image)
        image.load()
        marks = _marked(image, below, least)
        upright = Image.fromarray(marks)
        exif = image.getexif()
        upright.getexif()[_ORIENTATION_TAG] = exif.get(_ORIENTATION_TAG, 1) if turn is None else turn
    return np.asarray(ImageOps.exif_transpose(upright))


def _open(content: bytes) -> Image.Image:
    try:
        return open_image(content, Limits())
    except ImageError:
        if not content.startswith(TIFF_BEGINNINGS):
            raise
        # Numbers of 32 bits have no known range, so they are no picture; a mask needs none.
        with suppress(UnidentifiedImageError):
            return Image.open(BytesIO(content), formats=["TIFF"])
        raise
    except Exception as error:  # as `adscore.images` has it
        raise ImageError(reason(error, content)) from error


def _orientation(path: Path) -> int:
    with _open(read_regular(path, MAX_BYTES)) as image:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))


def _upright_size(path: Path) -> tuple[int, int]:
    with _open(read_regular(path, MAX_BYTES)) as image:
        # Pillow's TIFF decoder has swapped the sides already.
        on_its_side = image.format != "TIFF" and image.getexif().get(_ORIENTATION_TAG, 1) in _ON_ITS_SIDE
        return image.size[::-1] if on_its_side else image.size


def _marked(image: Image.Image, below: NDArray[Any] | None, least: int) -> Marks:
    if image.mode.startswith("I;16") and tags_of(image).get(_PHOTOMETRIC_TAG) == _WHITE_IS_ZERO:
        return np.asarray(image) < np.iinfo(np.uint16).max  # Pillow turns such TIFFs up to eight bits only
    if image.mode[0] in "IF1":
        return np.asarray(image) > 0
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, "RGB"))
    values: NDArray[np.uint8] = np.asarray(image).reshape(image.height, image.width, -1)
    if below is not None:
        values = values | below
    if image.mode[-1] != "A":
        return _any(values >= least)
    return _with_alpha(_any(values[..., :-1] >= least), values[..., -1] > 0)


def _any(of_channels: Marks) -> Marks:
    marks: Marks = np.any(of_channels, axis=2)
    return marks


def _with_alpha(coloured: Marks, visible: Marks) -> Marks:
    """Returns what is marked: what is coloured and can be seen; where all that can be seen is black, that."""
    if visible.all() or not visible.any():
        return coloured  # the same everywhere, so it marks nothing
    shown = coloured & visible
    return shown if shown.any() else visible


def _low_bytes(content: bytes, image: Image.Image) -> NDArray[Any] | None:
    """Returns the low bytes of 16-bit colours, of which Pillow gives the high ones alone; None where there are none.

    Raises:
        ImageError: there are, and Pillow has no way to them.
    """
    if image.mode[0] == "I":
        return None
    tiles = getattr(image, "tile", [])
    if not tiles:
        if max(tags_of(image).get(_BITS_TAG, (8,))) > 8:
            raise ImageError(_UNREAD)
        return None
    codec, arguments = tiles[0].codec_name, tiles[0].args
    raw, *others = arguments if isinstance(arguments, tuple) else (arguments,)
    before, sixteen, order = str(raw).partition(";16")
    if codec == "ppm" and others[0] > _EIGHT_BITS:
        sixteen = ";16"
    if not sixteen:
        return None
    if not order or before not in ("RGB", "RGBA"):
        raise ImageError(_UNREAD)
    with _open(content) as opened:
        again: Any = opened
        again.tile = [tile._replace(args=in_other_order(tile.args)) for tile in again.tile]
        return np.asarray(again).reshape(image.height, image.width, -1)


def _is_lossy(image: Image.Image, content: bytes) -> bool:
    if image.format == "WEBP":
        return b"VP8L" not in _webp_chunks(content)
    return image.format == "JPEG" or (image.format == "TIFF" and image.info.get("compression") in _LOSSY_TIFF)


def _webp_chunks(content: bytes) -> set[bytes]:
    """Returns the names of the parts of a WEBP; "VP8L" is a picture that is kept exactly."""
    names, start = set(), 12
    while start + 8 <= len(content):
        names.add(content[start : start + 4])
        size = int.from_bytes(content[start + 4 : start + 8], "little")
        start += 8 + size + size % 2
    return names
