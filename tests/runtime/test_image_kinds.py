"""What becomes of each kind of image: the rows of the README's table, each on a real file."""

import subprocess
import sys
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adscore.errors import ImageError
from adscore.images import decode, read_header
from adscore.spec import ImageSpec
from tests.tiff import CMYK, GREY, GREY_WHITE_IS_ZERO, LAB, RGB, tiff

COLOUR, LUMA = ImageSpec(1, 1, "RGB"), ImageSpec(1, 1, "L")


def encoded(mode: str, colour: object, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    Image.new(mode, (8, 8), colour).save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def plane(*values: float, kind: str = "uint8") -> bytes:
    pixels = np.full((2, 2, len(values)), values, kind)
    photometric = {1: GREY, 3: RGB, 4: RGB}[len(values)]
    return tiff(pixels[..., 0] if len(values) == 1 else pixels, photometric, extra=2 if len(values) == 4 else None)


def netpbm(header: str, *samples: int) -> bytes:
    return header.encode() + np.array(samples, ">u2").tobytes()


@pytest.mark.parametrize(
    ("content", "colour"),
    [
        (encoded("1", 1, "BMP"), [255] * 3),
        (encoded("1", 0, "TIFF", compression="group4"), [0] * 3),
        (encoded("RGBA", (200, 100, 50, 7), "TIFF"), [200, 100, 50]),
        (encoded("LA", (77, 0), "PNG"), [77] * 3),
        (encoded("CMYK", (0, 255, 255, 0), "TIFF"), [255, 0, 0]),
        (encoded("CMYK", (0, 255, 255, 0), "JPEG", quality=100), [255, 0, 0]),
        (encoded("YCbCr", (128, 128, 128), "TIFF"), [128] * 3),
        (encoded("YCbCr", (100, 128, 128), "JPEG", quality=100), [100] * 3),
        (plane(0xC8FF, 0x6400, 0x3201, kind="uint16"), [200, 100, 50]),
        (plane(0xC8FF, 0x6400, 0x3201, 0x0100, kind="uint16"), [200, 100, 50]),
        (tiff(np.full((2, 2, 4), (100, 50, 25, 128), np.uint8), RGB, extra=1), [199, 99, 49]),
        (tiff(np.full((2, 2, 4), (100, 50, 25, 128), np.uint8), RGB, extra=0), [100, 50, 25]),
        (tiff(np.full((2, 2, 4), (0, 0xFFFF, 0xFFFF, 0), np.uint16), CMYK), [255, 0, 0]),
        # L* = 200 / 255 x 100 = 78.4 with no colour is the grey of sRGB 194.
        (tiff(np.full((2, 2, 3), (200, 0, 0), np.uint8), LAB), [194] * 3),
        (plane(0x1234, kind="uint16"), [0x12] * 3),
        (tiff(np.full((2, 2), 0x1234, np.uint16), GREY_WHITE_IS_ZERO), [255 - 0x12] * 3),
        (tiff(np.full((2, 2), 0x12, np.uint8), GREY_WHITE_IS_ZERO), [255 - 0x12] * 3),
        # Twelve bits, two samples in three bytes: 0xFFF is 15 in sixteen bits' high byte.
        (tiff(np.full((2, 3), 0xFF, np.uint8), GREY, bits=12), [15] * 3),
        (netpbm("P5 1 1 65535\n", 0x1234), [0x12] * 3),
        (netpbm("P5 1 1 1000\n", 500), [128] * 3),
        (netpbm("P6 1 1 65535\n", 0xC8FF, 0x6400, 0x3201), [200, 100, 50]),
        (b"P3 1 1 255 200 100 50 ", [200, 100, 50]),
        (b"P1 1 1 1 ", [0] * 3),
    ],
    ids=[
        "1 bit", "1 bit fax", "RGBA", "grey and alpha", "CMYK", "CMYK JPEG", "YCbCr", "YCbCr JPEG", "16-bit RGB",
        "16-bit RGBA", "premultiplied", "fourth channel unknown", "16-bit CMYK", "LAB", "16-bit grey",
        "16-bit white is zero", "8-bit white is zero", "12 bits", "16-bit PGM", "PGM of 1000", "16-bit PPM",
        "text PPM", "text PBM",
    ],
)  # fmt: skip
def test_colour_of_every_kind(content: bytes, colour: list[int]) -> None:
    assert decode(content, COLOUR).ravel().tolist() == colour
    red, green, blue = colour
    grey = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    assert decode(content, LUMA).ravel().tolist() == [grey]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (plane(0.5, kind="float32"), "32-bit pixels have no known range; convert the image to 8 or 16 bits"),
        (plane(7, kind="uint32"), "32-bit pixels have no known range; convert the image to 8 or 16 bits"),
        (plane(-7, kind="int8"), "signed pixels have no known range; convert the image to unsigned 8 or 16 bits"),
        (plane(-7, kind="int16"), "signed pixels have no known range; convert the image to unsigned 8 or 16 bits"),
        (plane(0.5, 0.5, 0.5, kind="float32"), "32-bit pixels have no known range; convert the image to 8 or 16 bits"),
        (plane(0.5, kind="float64"), "64-bit pixels have no known range; convert the image to 8 or 16 bits"),
        (b"Pf 1 1 -1.0\n\0\0\0\x3f", "32-bit pixels have no known range; convert the image to 8 or 16 bits"),
        (encoded("L", 9, "PNG").replace(b"IHDR", b"IHDr"), "a PNG file that is damaged, or of a kind that cannot be"),
        (b"P", "not an image in a known format (BMP, GIF, JPEG, PNG, PPM, TIFF, WEBP)"),
    ],
)
def test_what_has_no_range_or_no_decoder_is_refused_by_name(content: bytes, cause: str) -> None:
    with pytest.raises(ImageError) as raised:
        decode(content, COLOUR)
    assert str(raised.value).startswith(cause)


@pytest.mark.parametrize(
    "content",
    [
        b"P1 2 1 0 1", b"P4 2 1\n\x40", b"P2 2 1 255 255 0", b"P5 2 1 255\n\xff\0", b"P3 2 1 9 9 9 9 0 0 0",
        b"P6 2 1 9\n\x09\x09\x09\0\0\0",
    ],
)  # fmt: skip
def test_every_kind_of_netpbm(content: bytes) -> None:
    assert decode(content, ImageSpec(2, 1, "L")).ravel().tolist() == [255, 0]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_a_dib_is_the_bmp_without_its_first_bytes(tmp_path: Path, mode: str) -> None:
    image = Image.linear_gradient("L").resize((20, 10)).convert(mode)
    image.save(tmp_path / "a.dib", "DIB")
    image.save(tmp_path / "a.bmp", "BMP")
    assert (tmp_path / "a.bmp").read_bytes()[14:] == (tmp_path / "a.dib").read_bytes()
    spec = ImageSpec(20, 10, "RGB")
    assert decode(tmp_path / "a.dib", spec).tolist() == decode(tmp_path / "a.bmp", spec).tolist()
    assert read_header(tmp_path / "a.dib") == read_header(tmp_path / "a.bmp")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "TIFF", "WEBP"])
def test_the_first_of_many_frames_counts(kind: str) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    buffer = BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {}
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], **options)
    assert decode(buffer.getvalue(), COLOUR).ravel().tolist() == [255, 0, 0]


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none_turns_nothing(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3))
    image.save(tmp_path / "a.png", exif=exif)
    assert decode(tmp_path / "a.png", ImageSpec(3, 2, "L"))[..., 0].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read_header(tmp_path / "a.png")[:3] == (3, 2, "L")


def test_exif_of_more_than_a_megabyte_counts_as_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    for padding, expected in ((1000, [[5, 4, 3], [2, 1, 0]]), (1 << 20, [[0, 1, 2], [3, 4, 5]])):
        image = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3))
        image.save(tmp_path / "a.png", exif=exif.tobytes() + bytes(padding))
        assert decode(tmp_path / "a.png", ImageSpec(3, 2, "L"))[..., 0].tolist() == expected


def test_transparency_of_a_palette_raises_no_warning() -> None:
    image = Image.new("P", (2, 2), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    buffer = BytesIO()
    image.save(buffer, "PNG", transparency=b"\x10\x20")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert decode(buffer.getvalue(), COLOUR).ravel().tolist() == [200, 100, 50]
    assert seen == []


def test_every_flipped_bit_of_a_png_is_seen_or_harmless() -> None:
    buffer = BytesIO()
    Image.effect_noise((16, 16), 90).save(buffer, "PNG", compress_level=0)  # stored, so that flips are other pixels
    content, spec = buffer.getvalue(), ImageSpec(16, 16, "L")
    sound, seen = decode(content, spec).tobytes(), 0
    for bit in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            assert decode(bytes(flipped), spec).tobytes() == sound, f"bit {bit}"
        except ImageError:
            seen += 1
    assert seen > 7 * len(content)


def test_a_damaged_tiff_writes_nothing_to_stderr() -> None:
    content = bytearray(encoded("L", 9, "TIFF", compression="tiff_adobe_deflate"))
    content[9] ^= 0xFF  # in the compressed pixels, which libtiff would complain of by itself
    program = "import sys; from adscore.images import *; decode(sys.stdin.buffer.read(), ImageSpec(8, 8, 'L'))"
    guarded = f"try:\n    exec({program!r})\nexcept ImageError as error:\n    print(error)"
    done = subprocess.run(
        [sys.executable, "-c", "from adscore.images import ImageError\n" + guarded],
        input=content, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout != b""


@pytest.mark.parametrize("configured", [False, True])
def test_what_pillow_logs_reaches_stderr_only_if_logging_is_set_up(configured: bool) -> None:
    program = (
        "import logging, sys; from adscore.images import *; from adscore.errors import ImageError\n"
        f"if {configured}: logging.basicConfig(format='%(name)s: %(message)s', level='ERROR')\n"
        "try:\n    decode(sys.stdin.buffer.read(), ImageSpec(8, 8, 'L'))\nexcept ImageError as error:\n    print(error)"
    )
    content = tiff(np.zeros((2, 2, 100), np.uint8), GREY, more={259: 6})
    done = subprocess.run([sys.executable, "-c", program], input=content, capture_output=True, check=False)
    assert done.stdout == b"a TIFF file that is damaged, or of a kind that cannot be read\n"
    logged = b"PIL.TiffImagePlugin: More samples per pixel than can be decoded: 100\n"
    assert done.stderr == (logged if configured else b"")
