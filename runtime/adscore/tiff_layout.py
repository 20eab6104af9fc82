"""How a page of a TIFF holds its pixels, by its tags: what Pillow reads right, what we do, and what is refused."""

from typing import NamedTuple

from adscore.errors import ImageError
from adscore.tiff_pages import DAMAGED, TILE_LENGTH, TILE_WIDTH, Page

_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _ORIENTATION = 256, 257, 258, 259, 262, 266, 274
_SAMPLES, _ROWS, _PLANAR, _PREDICTOR, _EXTRA, _SAMPLE_FORMAT, _SUBSAMPLING = 277, 278, 284, 317, 338, 339, 530
_SEPARATE, _PREMULTIPLIED, _UNSIGNED, _SIGNED, _FLOATING = 2, 1, 1, 2, 3

WHITE_IS_ZERO, GREY, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
_COLOURS = {WHITE_IS_ZERO: 1, GREY: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3, LAB: 3}  # samples that are not extra
_MOSAIC, _LINEAR_RAW = 32803, 34892
_NAMES = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 4: "mask", 5: "CMYK", 6: "YCbCr", 8: "Lab", 9: "Lab", 10: "Lab"}

NONE, OLD_JPEG, JPEG = 1, 6, 7
_WITH_PREDICTOR = {5, 8, 32946, 34925, 50000}  # LZW, Deflate, Deflate, LZMA, Zstandard
_OF_BYTES = {NONE, 32773} | _WITH_PREDICTOR  # which hold bytes, whatever these mean
_DECODED = _OF_BYTES | {2, 3, 4, OLD_JPEG, JPEG, 32771, 32809, 34676, 34677, 50001}
_FOREIGN = {
    22610: "JPEG XR",
    33003: "JPEG 2000",
    33005: "JPEG 2000",
    34712: "JPEG 2000",
    34887: "LERC",
    50002: "JPEG XL",
}
_PLAIN, _DIFFERENCES = 1, 2

_ADVICE = "convert it to grey or RGB of 8 or 16 bits"


class Layout(NamedTuple):
    """What the tags say of one page's pixels."""

    width: int
    length: int
    bits: int  # of each sample
    samples: int  # of a pixel
    extra: tuple[int, ...]  # what those behind the colours are
    photometric: int
    compression: int
    separate: bool  # each sample has a plane of its own
    predictor: int
    orientation: int
    subsampling: tuple[int, ...]  # of YCbCr: pixels across and down for one of colour
    tile: tuple[int, int] | None  # width and length
    rows: int  # of a strip
    fill_order: int
    little: bool  # the order of bytes in numbers

    @property
    def colours(self) -> int:
        """How many samples are not extra ones."""
        return _COLOURS[self.photometric]

    @property
    def alpha(self) -> int | None:
        """Which sample the colours are multiplied by."""
        return self.colours + self.extra.index(_PREMULTIPLIED) if _PREMULTIPLIED in self.extra else None

    @property
    def has_differences(self) -> bool:
        """Whether a sample is stored as its difference from the one of the pixel before."""
        return self.predictor == _DIFFERENCES and self.compression in _WITH_PREDICTOR

    @property
    def is_for_pillow(self) -> bool:
        """Whether every version of Pillow reads it right."""
        if self.compression == OLD_JPEG:
            return True
        kind, bits, samples, extra = self.photometric, self.bits, self.samples, self.extra
        if samples == 1:
            sizes = {WHITE_IS_ZERO: (1, 2, 4, 8), GREY: (1, 2, 4, 8, 12, 16), PALETTE: (1, 2, 4, 8)}
            right = bits in sizes.get(kind, ()) and not extra
            return right and (bits <= 8 or self.fill_order == 1) and (bits != 12 or self.little)
        if self.separate or self.fill_order != 1:
            return False
        if kind == RGB:
            return bits in (8, 16) and extra in ((), (0,), (1,), (2,)) and (samples == 3 + len(extra) or samples == 4)
        if kind == CMYK:
            return bits in (8, 16) and samples == 4 and not extra
        if kind in (YCBCR, LAB):
            return bits == 8 and samples == 3 and not extra and self.compression != (NONE if kind == YCBCR else JPEG)
        return bits == 8 and samples == 2 and (kind, extra) in ((GREY, (2,)), (PALETTE, (0,)), (PALETTE, (2,)))

    @property
    def is_for_us(self) -> bool:
        """Whether its samples can be read one by one, as grey."""
        if self.photometric in (PALETTE, LAB):
            return False
        if self.photometric == YCBCR and (self.bits != 8 or self.subsampling != (1, 1) or self.compression == JPEG):
            return False
        if self.predictor not in (_PLAIN, _DIFFERENCES):
            return False
        if self.separate or self.samples == 1:
            if self.bits == 12 and not self.little:
                return False
            return self.bits in (1, 2, 4, 8) or (self.bits in (12, 16) and self.fill_order == 1)
        return self.bits in (8, 16) and self.compression in _OF_BYTES and self.fill_order == 1

    def __str__(self) -> str:
        name = _NAMES.get(self.photometric, f"kind {self.photometric}")
        more = f" with {self.samples} samples a pixel" if self.samples != _COLOURS.get(self.photometric, 1) else ""
        packed = " compressed as JPEG" if self.compression == JPEG else ""
        return f"{self.bits}-bit {name}{more}{' in planes' if self.separate else ''}{packed}"


def layout_of(page: Page) -> Layout:
    """Returns how a page holds its pixels, which then are for Pillow or for us.

    Raises:
        ImageError: it is damaged, or of a kind that has no range or that nothing here can read.
    """
    one = page.number
    compression, photometric = one(_COMPRESSION, NONE), one(_PHOTOMETRIC, WHITE_IS_ZERO)
    if photometric in (_MOSAIC, _LINEAR_RAW):
        raise ImageError("raw data of a camera; develop it to a TIFF, PNG or JPEG")
    if compression not in _DECODED:
        name = _FOREIGN.get(compression, f"method {compression}")
        raise ImageError(f"a TIFF compressed as {name} cannot be read; save it with Deflate or LZW")
    samples = one(_SAMPLES, 3 if compression == OLD_JPEG and photometric in (RGB, YCBCR) else 1)
    sizes, fill_order = page.numbers(_BITS, (1,))[: max(samples, 1)], one(_FILL_ORDER, 1)
    if len(sizes) not in (1, samples) or fill_order not in (1, 2):
        raise ImageError(DAMAGED)
    if _SAMPLE_FORMAT in page.entries or max(sizes) > 16:
        _check_range(page.numbers(_SAMPLE_FORMAT, (_UNSIGNED,)), max(sizes))
    if min(sizes) < max(sizes):
        raise ImageError(f"a TIFF with samples of {', '.join(map(str, sizes[:5]))} bits cannot be read; {_ADVICE}")
    tile = (one(TILE_WIDTH, 0), one(TILE_LENGTH, 0)) if TILE_WIDTH in page.entries else None
    width, length = one(_WIDTH, 0), one(_LENGTH, 0)
    rows = min(one(_ROWS, length), length)
    extra = page.numbers(_EXTRA)
    if min(width, length, rows, *(tile or ()), samples - _COLOURS.get(photometric, 1) - len(extra) + 1) < 1:
        raise ImageError(DAMAGED)
    layout = Layout(
        width, length, sizes[0], samples, extra, photometric, compression,
        one(_PLANAR, 1) == _SEPARATE and samples > 1, one(_PREDICTOR, _PLAIN), one(_ORIENTATION, 1),
        page.numbers(_SUBSAMPLING, (2, 2)), tile, rows, fill_order, page.form.order == "<",
    )  # fmt: skip
    if photometric not in _COLOURS or not (layout.is_for_pillow or layout.is_for_us):
        raise ImageError(f"a TIFF of {layout} cannot be read; {_ADVICE}")
    return layout


def _check_range(formats: tuple[int, ...], bits: int) -> None:
    if _SIGNED in formats:
        raise ImageError("signed pixels have no known range; convert the image to unsigned 8 or 16 bits")
    if bits > 16:
        raise ImageError(f"{bits}-bit pixels have no known range; convert the image to 8 or 16 bits")
    if set(formats) != {_UNSIGNED}:
        what = "floating-point pixels" if _FLOATING in formats else "pixels of no stated kind"
        raise ImageError(f"{what} have no known range; convert the image to 8 or 16 bits")
