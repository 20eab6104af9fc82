"""Why an image is not read: what its file is, in our words and not in those of Pillow's parts."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from adscore.errors import ImageError
from adscore.images import decode
from adscore.spec import ImageSpec
from tests.causes import cause

NOISE = Image.effect_noise((40, 30), 90)
PALETTE = NOISE.convert("P")


def saved(kind: str, image: Image.Image = NOISE, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def with_bytes(content: bytes, place: int, replacement: bytes) -> bytes:
    return content[:place] + replacement + content[place + len(replacement) :]


def png(width: int, height: int, *more: bytes, bits: int = 8) -> bytes:
    """Returns a PNG's beginning with this header and these chunks."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    framed = (struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data)) for data in (header, *more))
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


TEXT = "a PNG with a text of more than 1 MB once it is unpacked, or 64 MB in all; save it without"


def damaged(kind: str) -> str:
    return f"a {kind} file that is damaged, or of a kind that cannot be read"


JPEG = saved("JPEG")
FRAME = JPEG.index(b"\xff\xc0")
BMP = saved("BMP")


BITS = "a JPEG of 12 bits a sample cannot be read; convert it to a PNG of 8 or 16 bits"
RARE = "a JPEG of a rare kind (lossless or hierarchical) cannot be read; convert it to PNG"
FLOATS = "32-bit pixels have no known range; convert the image to 8 or 16 bits"
PAM = b"P7\nWIDTH 2\nHEIGHT 2\nDEPTH 1\nMAXVAL 255\nENDHDR\n1234"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid"
UNKNOWN = "not an image in a known format (BMP, GIF, JPEG, PNG, PPM, TIFF, WEBP)"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (with_bytes(BMP, 28, b"\x40"), damaged("BMP")),  # 64 bits a pixel
        (with_bytes(BMP, 30, b"\x09"), damaged("BMP")),  # an unknown compression
        (with_bytes(BMP, 14, b"\x11"), damaged("BMP")),  # and header
        (BMP[14:18] + b"\xff" * 40, damaged("DIB")),
        (with_bytes(JPEG, FRAME + 4, b"\x0c"), BITS),
        (with_bytes(JPEG, FRAME + 1, b"\xf7"), "a JPEG-LS file cannot be read; convert it to PNG"),
        (JPEG[:FRAME], damaged("JPEG")),
        (png(8, 8), damaged("PNG")),
        (png(8, 8, bits=3), damaged("PNG")),
        (saved("PNG").replace(b"\r\n", b"\n", 1), damaged("PNG")),  # as text
        (png(40_000, 40_000, b"IDAT"), "1600000000 pixels are more than the 89478485 allowed"),
        (png(8, 8, b"zTXta\0\0" + zlib.compress(bytes(1 << 22))), TEXT),
        (b"P5 two 2 255 1234", damaged("PPM")),
        (b"P5 2 2 70000 1234", damaged("PPM")),
        (b"P5 2", "image file is truncated"),
        (b"PF\n2 2\n-1.0\n" + bytes(48), FLOATS),
        (PAM, "a PAM file cannot be read; convert it to PPM or PNG"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "a HEIC file cannot be read; convert it to PNG"),
        (POINTER, "only Git LFS's pointer to a file; fetch it with git lfs pull"),
        (b"(", UNKNOWN),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_a_header_shows(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a").write_bytes(content)
    assert cause(tmp_path / "a") == why


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (with_bytes(JPEG, FRAME + 1, b"\xc7"), RARE),
        (png(8, 8, b"IDATno pixels"), damaged("PNG")),
        (saved("GIF", PALETTE)[:-300] + b"\xff" * 300, damaged("GIF")),
        (with_bytes(saved("WEBP"), 30, b"\xff" * 40), damaged("WEBP")),
        (with_bytes(saved("TIFF", compression="tiff_lzw"), 10, b"\xff" * 100), damaged("TIFF")),
        (saved("BMP")[:-7], "image file is truncated (33 bytes not processed)"),
        (b"P1 2 2 0 1 2 3", damaged("PPM")),
        (b"P2 2 2 255 1 2 3 x", damaged("PPM")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_the_pixels_show(content: bytes, why: str) -> None:
    with pytest.raises(ImageError) as raised:
        decode(content, ImageSpec(8, 8, "L"))
    assert str(raised.value) == why
