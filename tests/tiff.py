"""TIFF files of kinds that neither Pillow nor tifffile writes by itself, a strip each and without compression."""

import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

GREY_WHITE_IS_ZERO, GREY, RGB, CMYK, YCBCR, LAB = 0, 1, 2, 5, 6, 8
_SHORT, _LONG = 3, 4


def packed(pixels: NDArray[np.integer], bits: int) -> NDArray[np.uint8]:
    """Returns pixels of shape (height, width, channels) with each row of a channel packed, `bits` for each."""
    places = np.arange(bits)[::-1]
    single = (pixels[..., None] >> places & 1).astype(np.uint8)  # (height, width, channels, bits)
    return np.packbits(single.swapaxes(1, 2).reshape(*pixels[:, 0].shape, -1), axis=2).swapaxes(1, 2)


def tiff(
    pixels: NDArray[np.generic],
    photometric: int,
    *,
    bits: int | None = None,
    extra: int | None = None,
    separate: bool = False,
    order: str = "<",
    more: Mapping[int, int] | None = None,
) -> bytes:
    """Returns a file with these pixels, (height, width) or (height, width, channels), in their own dtype.

    Args:
        pixels: unsigned, signed or floating.
        photometric: what the numbers mean.
        bits: of one sample, if the rows are packed already.
        extra: what the last channel is: 0 nothing known, 1 alpha that the colours are multiplied by, 2 plain alpha.
        separate: with a plane for each channel.
        order: of the bytes in numbers.
        more: tags to set or replace.
    """
    height, width = pixels.shape[:2]
    width = width * 8 // bits if bits else width
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    kind = {"u": 1, "i": 2, "f": 3, "c": 6}[pixels.dtype.kind]
    laid = np.moveaxis(pixels, 2, 0) if separate and pixels.ndim == 3 else pixels
    content = laid.astype(pixels.dtype.newbyteorder("<" if order == "<" else ">")).tobytes()
    strips = samples if separate else 1
    fields = {
        256: (_SHORT, [width]), 257: (_SHORT, [height]), 258: (_SHORT, [bits or pixels.itemsize * 8] * samples),
        259: (_SHORT, [1]), 262: (_SHORT, [photometric]), 273: (_LONG, [0] * strips), 277: (_SHORT, [samples]),
        278: (_SHORT, [height]), 279: (_LONG, [len(content) // strips] * strips), 284: (_SHORT, [2 if separate else 1]),
        339: (_SHORT, [kind] * samples),
    } | ({} if extra is None else {338: (_SHORT, [extra])})  # fmt: skip
    fields |= {tag: (_LONG, [value]) for tag, value in (more or {}).items()}
    behind = 8 + 2 + 12 * len(fields) + 4
    sizes = [len(values) * (2 if kind == _SHORT else 4) for kind, values in fields.values()]
    start = behind + sum(size for size in sizes if size > 4)
    fields[273] = (_LONG, [start + len(content) // strips * strip for strip in range(strips)])
    entries, values_behind = b"", b""
    for tag, (kind, values) in sorted(fields.items()):
        value = struct.pack(f"{order}{len(values)}{'H' if kind == _SHORT else 'I'}", *values)
        if len(value) > 4:
            value, values_behind = struct.pack(order + "I", behind + len(values_behind)), values_behind + value
        entries += struct.pack(order + "HHI4s", tag, kind, len(values), value)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(fields))
    return head + entries + b"\0\0\0\0" + values_behind + content
