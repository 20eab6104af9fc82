"""Pictures of 10 to 14 bits in 16-bit files: no grey level is lost, and what lies beyond the bits is noticed."""

import struct
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adscore.depth import DepthError
from adscore.errors import ImageError
from adscore.images import decode, decode_noting, read_header, read_largest
from adscore.spec import ImageSpec
from tests.png16 import png16
from tests.tiff import CMYK, GREY, GREY_WHITE_IS_ZERO, RGB, tiff

TWELVE = ImageSpec(2, 2, "L", bits=12)
TWELVE_IN_COLOUR = ImageSpec(2, 2, "RGB", bits=12)

# Of 12 bits, with one sample beyond.
SAMPLES = np.array([[0, 15], [16, 2000]], np.uint16)
BEYOND = np.array([[0, 4095], [4096, 65535]], np.uint16)
COLOURS = np.array([[[0, 15, 16], [1600, 800, 400]], [[4095, 2000, 31], [0xFF0, 0x0FF, 0x7F]]], np.uint16)


def encoded(samples: np.ndarray, kind: str) -> bytes:
    buffer = BytesIO()
    Image.fromarray(samples).save(buffer, kind)
    return buffer.getvalue()


def big_endian(content: bytes) -> bytes:
    """Returns a 16-bit TIFF written by Pillow in the other byte order."""
    image = Image.open(BytesIO(content))
    buffer = BytesIO()
    Image.frombytes("I;16B", image.size, np.asarray(image).astype(">u2").tobytes()).save(buffer, "TIFF")
    return buffer.getvalue()


def deflated(content: bytes, size: int) -> bytes:
    """Returns a TIFF of one strip, the last `size` bytes, with these compressed: so that libtiff decodes it."""
    packed = zlib.compress(content[-size:])
    compression, length = (struct.pack("<HHI", 259, 3, 1), struct.pack("<HHI", 279, 4, 1))
    content = content.replace(compression + b"\1", compression + b"\x08")
    content = content.replace(length + struct.pack("<I", size), length + struct.pack("<I", len(packed)))
    return content[:-size] + packed


@pytest.mark.parametrize("bits", range(8, 17))
def test_a_sample_is_shifted_by_the_bits_that_are_used(bits: int) -> None:
    samples = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256)
    pixels = decode(encoded(samples, "PNG"), ImageSpec(256, 256, "L", bits=bits))[..., 0]
    expected = np.minimum(samples.astype(int) * 256 // 2**bits, 255)
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize(
    "content",
    [
        encoded(SAMPLES, "PNG"),
        encoded(SAMPLES, "TIFF"),
        big_endian(encoded(SAMPLES, "TIFF")),
        encoded(SAMPLES, "PPM"),
        png16(np.dstack([SAMPLES, SAMPLES[::-1]])),
    ],
    ids=["PNG", "TIFF", "big-endian TIFF", "PGM", "PNG with alpha"],
)
def test_grey_of_every_kind_keeps_its_levels(tmp_path: Path, content: bytes) -> None:
    pixels, original = decode_noting(content, TWELVE)
    assert pixels[..., 0].tolist() == [[0, 0], [1, 125]]
    assert original == (2, 2, "L", 16, 2000)
    (tmp_path / "a").write_bytes(content)
    assert read_header(tmp_path / "a") == (2, 2, "L", 16, None)
    assert read_largest(tmp_path / "a") == 2000


@pytest.mark.parametrize(
    "content",
    [
        png16(COLOURS),
        png16(np.dstack([COLOURS, np.zeros((2, 2), np.uint16)])),
        tiff(COLOURS, RGB),
        tiff(np.dstack([COLOURS, np.full((2, 2), 9, np.uint16)]), RGB, extra=2),
        deflated(tiff(COLOURS, RGB), COLOURS.nbytes),
        b"P6 2 2 65535\n" + COLOURS.astype(">u2").tobytes(),
    ],
    ids=["PNG", "PNG with alpha", "TIFF", "TIFF with alpha", "TIFF by libtiff", "PPM"],
)
def test_colour_of_every_kind_keeps_its_levels(tmp_path: Path, content: bytes) -> None:
    pixels, original = decode_noting(content, TWELVE_IN_COLOUR)
    assert pixels.tolist() == (COLOURS >> 4).tolist()
    assert original == (2, 2, "RGB", 16, 4095)
    (tmp_path / "a").write_bytes(content)
    assert read_header(tmp_path / "a") == (2, 2, "RGB", 16, None)
    assert read_largest(tmp_path / "a") == 4095


def test_twelve_bits_packed_in_a_tiff_are_twelve_bits() -> None:
    # 0x7D0 and 0x010 in three bytes.
    content = tiff(np.array([[0x7D, 0x00, 0x10]], np.uint8), GREY, bits=12)
    assert decode(content, ImageSpec(2, 1, "L", bits=12)).ravel().tolist() == [125, 1]


def test_white_is_zero_within_the_bits() -> None:
    content = tiff(SAMPLES, GREY_WHITE_IS_ZERO)
    assert decode(content, TWELVE)[..., 0].tolist() == [[255, 255], [254, 130]]


def test_cmyk_keeps_its_levels() -> None:
    content = tiff(np.full((2, 2, 4), (0, 0xFFF, 0xFFF, 0), np.uint16), CMYK)
    assert decode(content, TWELVE_IN_COLOUR)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("content", [b"P5 1 1 1023\n\x03\xff", b"P5 1 1 4095\n\x0f\xff", b"P2 1 1 4095 4095 "])
def test_a_maximum_of_its_own_goes_before_the_bits(tmp_path: Path, content: bytes) -> None:
    pixels, original = decode_noting(content, ImageSpec(1, 1, "L", bits=10))
    assert pixels.tolist() == [[[255]]]
    assert original.largest is None
    (tmp_path / "a").write_bytes(content)
    assert read_largest(tmp_path / "a") is None


def test_what_lies_beyond_the_bits_is_cut_off_and_noticed() -> None:
    pixels, original = decode_noting(encoded(BEYOND, "PNG"), TWELVE)
    assert pixels[..., 0].tolist() == [[0, 255], [255, 255]]
    assert original.largest == 65535


@pytest.mark.parametrize(
    "content", [tiff(np.ones((2, 2, 4), np.uint16), RGB, extra=1), b"P3 1 1 65535 1 2 3 "], ids=["by alpha", "text"]
)
def test_colour_that_cannot_be_had_to_the_bit_is_refused_not_misread(tmp_path: Path, content: bytes) -> None:
    assert decode(content, replace(TWELVE_IN_COLOUR, bits=16)).shape == (2, 2, 3)
    with pytest.raises(ImageError, match="^16-bit colour of this kind is read with all its 16 bits only; convert the"):
        decode(content, TWELVE_IN_COLOUR)
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(DepthError):
        read_largest(tmp_path / "a")


def test_eight_bits_know_nothing_of_the_rule() -> None:
    content = encoded(np.array([[0, 200], [255, 7]], np.uint8), "PNG")
    pixels, original = decode_noting(content, TWELVE)
    assert pixels[..., 0].tolist() == [[0, 200], [255, 7]]
    assert original == (2, 2, "L", 8, None)


def test_the_rule_of_older_files_is_that_of_sixteen_bits() -> None:
    content = encoded(BEYOND, "PNG")
    older = ImageSpec(2, 2, "L", sixteen_bit="high_byte")
    np.testing.assert_array_equal(decode(content, older), decode(content, ImageSpec(2, 2, "L", bits=16)))
    with pytest.raises(ValueError, match="^image.bits is 12, and high_byte has 16 to 16$"):
        ImageSpec(2, 2, "L", sixteen_bit="high_byte", bits=12)
    with pytest.raises(ValueError, match="^image.bits is 7, and bits has 8 to 16$"):
        ImageSpec(2, 2, "L", bits=7)
