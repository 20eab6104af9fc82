"""TIFF files of kinds that Pillow reads but does not write, a strip each and without compression."""

import struct

import numpy as np
from numpy.typing import NDArray

GREY_WHITE_IS_ZERO, GREY, RGB, CMYK, LAB = 0, 1, 2, 5, 8
_SHORT, _LONG = 3, 4


def tiff(pixels: NDArray[np.generic], photometric: int, *, bits: int | None = None, extra: int | None = None) -> bytes:
    """Returns a file with these pixels, (height, width) or (height, width, channels), in their own dtype.

    Args:
        pixels: unsigned, signed or floating.
        photometric: what the numbers mean.
        bits: of one sample, if the grey pixels are packed already.
        extra: what the last channel is: 0 nothing known, 1 alpha that the colours are multiplied by, 2 plain alpha.
    """
    height, width = pixels.shape[:2]
    width = width * 8 // bits if bits else width
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    kind = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    content = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    fields = {
        256: (_SHORT, [width]), 257: (_SHORT, [height]), 258: (_SHORT, [bits or pixels.itemsize * 8] * samples),
        259: (_SHORT, [1]), 262: (_SHORT, [photometric]), 273: (_LONG, [0]), 277: (_SHORT, [samples]),
        278: (_SHORT, [height]), 279: (_LONG, [len(content)]), 339: (_SHORT, [kind] * samples),
    } | ({} if extra is None else {338: (_SHORT, [extra])})  # fmt: skip
    behind = 8 + 2 + 12 * len(fields) + 4
    longer = sum(2 * len(values) for kind, values in fields.values() if kind == _SHORT and len(values) > 2)
    fields[273] = (_LONG, [behind + longer])
    entries, values_behind = b"", b""
    for tag, (kind, values) in sorted(fields.items()):
        packed = struct.pack(f"<{len(values)}{'H' if kind == _SHORT else 'I'}", *values)
        if len(packed) > 4:
            packed, values_behind = struct.pack("<I", behind + len(values_behind)), values_behind + packed
        entries += struct.pack("<HHI4s", tag, kind, len(values), packed)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(fields)) + entries + b"\0\0\0\0" + values_behind + content
