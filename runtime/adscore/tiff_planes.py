"""The samples of a TIFF's pixels, each for itself, whatever Pillow makes of the page that they are in.

To Pillow they are shown as pages of grey: each plane is one, and where the samples of a pixel lie side by side, all of
them are one that is so many times as wide. Strips and tiles stay where they are in the file; directories that say so
are put behind them.
"""

import struct
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from adscore.errors import ImageError
from adscore.tiff_layout import Layout
from adscore.tiff_pages import DAMAGED, STRIP_BYTES, STRIPS, TILE_BYTES, TILE_LENGTH, TILE_WIDTH, TILES, Page

_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_ROWS, _PREDICTOR, _JPEG_TABLES = 278, 317, 347
_BLACK_IS_ZERO, _PLAIN = 1, 1
_UNDEFINED, _LONG = 7, 4
# As many as Pillow allows of one picture.
_MOST_SAMPLES = 178_956_970

Samples = NDArray[np.uint8] | NDArray[np.uint16]


def read_samples(page: Page, layout: Layout, wanted: Sequence[int]) -> Iterator[Samples]:
    """Yields these samples of all pixels, each of shape (length, width), of 8 bits, or of 12 or 16 in two bytes.

    Args:
        page: of a layout that `is_for_us`.
        layout: the page's.
        wanted: which of a pixel's samples.

    Raises:
        ImageError: its strips or tiles cannot be, or are too large to be read so.
    """
    offsets, lengths = _pieces(page, layout)
    if layout.separate or layout.samples == 1:
        each = len(offsets) // layout.samples
        planes = [slice(each * sample, each * (sample + 1)) for sample in wanted]
        yield from _read_grey(page, layout, 1, [(offsets[plane], lengths[plane]) for plane in planes])
        return
    (picture,) = _read_grey(page, layout, layout.samples, [(offsets, lengths)])
    samples = picture.reshape(layout.length, -1, _step(layout), layout.samples)
    if layout.has_differences:
        samples = cast(Samples, samples.cumsum(axis=2, dtype=samples.dtype))
    for sample in wanted:
        yield samples[..., sample].reshape(layout.length, -1)[:, : layout.width]


def _step(layout: Layout) -> int:
    """Returns how many pixels of a row are in one strip or tile."""
    return layout.tile[0] if layout.tile else layout.width


def _pieces(page: Page, layout: Layout) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns offsets and lengths of the strips or tiles; there may be no lengths."""
    if (STRIPS in page.entries) == (TILES in page.entries) or (TILES in page.entries) != (layout.tile is not None):
        raise ImageError(DAMAGED)
    width, length = layout.tile or (layout.width, layout.rows)
    expected = -(-layout.width // width) * -(-layout.length // length) * (layout.samples if layout.separate else 1)
    offsets = page.numbers(TILES if layout.tile else STRIPS)
    lengths = page.numbers(TILE_BYTES if layout.tile else STRIP_BYTES)
    if len(offsets) != expected or len(lengths) not in (0, expected):
        raise ImageError(DAMAGED)
    return offsets, lengths


def _read_grey(
    page: Page, layout: Layout, times: int, pictures: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]
) -> Iterator[Samples]:
    """Yields what is in these strips or tiles each, read as pictures of grey, `times` as wide as the page.

    Those of several samples are as wide as all their tiles together.
    """
    width = -(-layout.width // _step(layout)) * _step(layout) * times if times > 1 else layout.width
    if max(width * layout.length, times * layout.tile[0] * layout.tile[1] if layout.tile else 0) > _MOST_SAMPLES:
        raise ImageError(f"{width}x{layout.length} samples side by side are more than the {_MOST_SAMPLES} allowed")
    fields = {
        _WIDTH: width, _LENGTH: layout.length, _BITS: layout.bits, _COMPRESSION: layout.compression,
        _PHOTOMETRIC: _BLACK_IS_ZERO, _FILL_ORDER: layout.fill_order,
        _PREDICTOR: _PLAIN if times > 1 else layout.predictor,
    }  # fmt: skip
    if layout.tile:
        fields |= {TILE_WIDTH: layout.tile[0] * times, TILE_LENGTH: layout.tile[1]}
    else:
        fields[_ROWS] = layout.rows
    names = (TILES, TILE_BYTES) if layout.tile else (STRIPS, STRIP_BYTES)
    directories = [
        {tag: (value,) for tag, value in fields.items()} | dict(zip(names, pieces, strict=True)) for pieces in pictures
    ]
    content = _with_directories(page, directories)
    with Image.open(BytesIO(content), formats=["TIFF"]) as image:
        for frame in ImageSequence.Iterator(image):
            yield _samples(frame)


def _samples(image: Image.Image) -> Samples:
    """Returns a copy of an image's pixels, since the next one takes its place."""
    pixels = np.asarray(image.convert("L") if image.mode == "1" else image)
    return pixels if pixels.dtype == np.uint8 else pixels.astype(np.uint16, copy=False)


def _with_directories(page: Page, directories: Sequence[dict[int, tuple[int, ...]]]) -> bytes:
    """Returns the page's file with these directories, and no others, as a TIFF with offsets of four bytes."""
    order, tables = page.form.order, page.bytes_of(_JPEG_TABLES)
    # A BigTIFF has a longer header, and nothing else lies there.
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", len(page.content))
    parts: list[bytes | memoryview] = [head, memoryview(page.content)[len(head) :]]
    start = len(page.content)
    for number, values in enumerate(directories, 1):
        fields = {tag: (_LONG, len(of), struct.pack(f"{order}{len(of)}I", *of)) for tag, of in values.items() if of}
        if tables:
            fields[_JPEG_TABLES] = _UNDEFINED, len(tables), tables
        behind = start + 2 + 12 * len(fields) + 4
        entries, longer = [struct.pack(order + "H", len(fields))], []
        for tag, (kind, count, packed) in sorted(fields.items()):
            entries.append(struct.pack(order + "HHI", tag, kind, count))
            if len(packed) > 4:
                entries.append(struct.pack(order + "I", behind))
                longer.append(packed)
                behind += len(packed)
            else:
                entries.append(packed.ljust(4, b"\0"))
        entries.append(struct.pack(order + "I", behind if number < len(directories) else 0))
        parts += [*entries, *longer]
        start = behind
    return b"".join(parts)
