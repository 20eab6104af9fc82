"""PNG files of 16 bits a sample, which Pillow reads and writes in grey alone."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_COLOUR_TYPE = {1: 0, 3: 2, 2: 4, 4: 6}


def png16(samples: NDArray[np.uint16]) -> bytes:
    """Returns a file of samples (height, width, channels): grey, grey with alpha, RGB or RGBA."""
    height, width, channels = samples.shape
    lines = samples.astype(">u2").reshape(height, -1)
    pixels = b"".join(b"\0" + line.tobytes() for line in lines)
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPE[channels], 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    chunks = (struct.pack(">I", len(body)) + name + body + _checksum(name + body) for name, body in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _checksum(content: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(content))
