"""TIFF: what the tags say is what is read, or it is refused, whatever the version of Pillow.

Pillow reads the common layouts. Of the others it takes some for what they are not (planes of 16 bits for planes of 8),
and which it refuses differs from version to version. The samples of these are read one by one and put together here.
"""

import ctypes
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from io import BytesIO
from typing import Any, cast

import numpy as np
from PIL import Image, _imaging

from adscore.errors import ImageError
from adscore.tiff_layout import CMYK, RGB, WHITE_IS_ZERO, YCBCR, Layout, layout_of
from adscore.tiff_pages import Page, read_page
from adscore.tiff_planes import Samples, read_samples

_MODES = {RGB: "RGB", CMYK: "CMYK", YCBCR: "YCbCr"}
_BITS, _PHOTOMETRIC, _PLANAR, _CHUNKY, _ORIENTATION = 258, 262, 284, 1, 0x0112


class _Unread(Image.Image):
    """A picture of known size whose pixels are read once they are asked for, as Pillow's own are.

    Attributes:
        sample_tags: tags that say how samples are to be taken.
    """

    def __init__(self, mode: str, layout: Layout, read: Callable[[], Image.Image]) -> None:
        super().__init__()
        self._mode, self._size, self._read = mode, (layout.width, layout.length), read
        self.sample_tags = {_BITS: (layout.bits,)} | ({_PHOTOMETRIC: layout.photometric} if layout.bits == 16 else {})

    def load(self) -> Any:
        if self._im is None:
            self.im = self._read().im
        return super().load()


def open_tiff(content: bytes, pixels: int) -> Image.Image:
    """Returns the picture of a TIFF, whose pixels are read once they are asked for.

    Grey of 12 and 16 bits keeps them, as mode "I;16"; of 16, white stays what its tags say.

    Args:
        content: of a file that begins as a TIFF does.
        pixels: the most that a tile may have.

    Raises:
        ImageError: it is damaged, claims more than any sound file, or is of a kind that is not read.
    """
    page, is_first = read_page(content, pixels)
    layout = layout_of(page)
    _silence_libtiff()
    # Pillow takes a BigTIFF of this order for a small one.
    if layout.is_for_pillow and (layout.little or not page.form.big):
        if layout.samples == 1:
            content = _in_one_plane(page)
        content = content if is_first else page.form.pointing_to(content, page.start)
        return Image.open(BytesIO(content), formats=["TIFF"])
    if not layout.is_for_us:
        raise ImageError(f"a big-endian BigTIFF of {layout} cannot be read; save it as a usual TIFF")
    deep = layout.colours == 1 and layout.bits > 8
    mode = "I;16" if deep else _MODES.get(layout.photometric, "L")
    image = _Unread(mode, layout, lambda: _read(page, layout))
    if layout.orientation != 1:
        exif = Image.Exif()
        exif[_ORIENTATION] = layout.orientation
        image.info["exif"] = exif.tobytes()
    return image


def _in_one_plane(page: Page) -> bytes:
    """Returns the file of a page of one sample as one that says so: by planes Pillow takes it for another kind."""
    if page.number(_PLANAR, _CHUNKY) == _CHUNKY:
        return page.content
    kind, _, place = page.entries[_PLANAR]
    number = struct.pack(page.form.order + ("H" if kind == 3 else "I"), _CHUNKY)
    return b"".join((page.content[:place], number, memoryview(page.content)[place + len(number) :]))


def _read(page: Page, layout: Layout) -> Image.Image:
    """Returns the picture of a page that `is_for_us`: grey as it is, colours in 8 bits, their high bytes."""
    wanted = list(range(layout.colours)) + ([] if layout.alpha is None else [layout.alpha])
    # Of colours the high bytes at once, since all their planes together take as much memory as the file.
    surplus = 8 if layout.colours > 1 and layout.bits > 8 else 0
    white = max(255, (1 << layout.bits) - 1) >> surplus
    samples: list[Samples] = [
        (plane >> 8).astype(np.uint8) if surplus else plane for plane in read_samples(page, layout, wanted)
    ]
    if layout.alpha is not None:
        *colours, alpha = samples
        samples = [_divided(plane, alpha, white) for plane in colours]
    if layout.photometric == WHITE_IS_ZERO and layout.bits < 16:  # of 16 fewer may be used, which is not known here
        samples = [white - plane for plane in samples]
    planes = [Image.fromarray(np.ascontiguousarray(plane)) for plane in samples]
    return planes[0] if layout.colours == 1 else Image.merge(_MODES[layout.photometric], planes)


def _divided(plane: Samples, alpha: Samples, white: int) -> Samples:
    """Returns colours that were multiplied by alpha as they were before; where there is none of it, as they are."""
    whole = np.minimum(plane.astype(np.uint32) * white // np.maximum(alpha, 1), white)
    return cast(Samples, np.where(alpha > 0, whole, plane).astype(plane.dtype))


@cache
def _silence_libtiff() -> None:
    # It prints to stderr by itself; what matters of it, Pillow raises. Where it is built in, the function is not found.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)
