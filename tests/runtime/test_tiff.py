"""TIFF against tifffile, over every layout that it writes: what tags say is what is read, or it is refused by name."""

from collections.abc import Iterator
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from adscore.errors import ImageError
from adscore.images import decode, read_header
from adscore.spec import ImageSpec
from tests.causes import cause
from tests.tiff import GREY, GREY_WHITE_IS_ZERO, LAB, RGB, YCBCR, packed, tiff

HEIGHT, WIDTH = 9, 18
COLOURS = {"minisblack": 1, "miniswhite": 1, "rgb": 3, "separated": 4}
EXTRA = ((), ("unspecified",), ("assocalpha",), ("unassalpha",), ("unassalpha", "unspecified"))
COMPRESSIONS: tuple[dict[str, Any], ...] = ({}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True})
PIECES: tuple[dict[str, Any], ...] = ({"rowsperstrip": 4}, {"tile": (16, 16)})


def written(pixels: np.ndarray[Any, Any], photometric: str, **options: Any) -> bytes:
    """Returns a TIFF of pixels of shape (height, width, samples)."""
    if pixels.shape[2] == 1:
        pixels = pixels[..., 0]
        options.pop("planarconfig", None)
    elif options.get("planarconfig") == "separate":
        pixels = np.moveaxis(pixels, 2, 0)
    buffer = BytesIO()
    tifffile.imwrite(buffer, pixels, photometric=photometric, metadata=None, **options)
    return buffer.getvalue()


def expected(pixels: np.ndarray[Any, Any], photometric: str, bits: int, *, premultiplied: bool) -> np.ndarray[Any, Any]:
    """Returns RGB of 8 bits, of 16 the high byte."""
    colours, white = pixels[..., : COLOURS[photometric]].astype(np.int64), (1 << bits) - 1
    if premultiplied:
        colours = np.minimum(colours * white // pixels[..., COLOURS[photometric], None], white)
    if photometric == "miniswhite":
        colours = white - colours
    eight = (colours >> bits - 8).astype(np.uint8)
    if photometric == "separated":
        return np.asarray(
            Image.merge("CMYK", [Image.fromarray(plane) for plane in np.moveaxis(eight, 2, 0)]).convert("RGB")
        )
    return np.broadcast_to(eight, (HEIGHT, WIDTH, 3))


def layouts(samples: int) -> Iterator[dict[str, Any]]:
    """Yields the ways in which tifffile can write pixels of so many samples."""
    planes = ("contig", "separate") if samples > 1 else ("contig",)
    for plane, order, compression, pieces in product(planes, "<>", COMPRESSIONS, PIECES):
        yield {"planarconfig": plane, "byteorder": order} | compression | pieces


@pytest.mark.parametrize("extra", EXTRA, ids=" ".join)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", COLOURS)
def test_every_layout_is_read_as_its_tags_say(
    tmp_path: Path, photometric: str, bits: int, extra: tuple[str, ...]
) -> None:
    premultiplied = extra[:1] == ("assocalpha",)
    samples = COLOURS[photometric] + len(extra)
    pixels = np.random.default_rng(bits).integers(0, 1 << bits, (HEIGHT, WIDTH, samples)).astype(f"u{bits // 8}")
    if premultiplied:
        pixels[..., COLOURS[photometric]] = (1 << bits) - 1 - pixels[..., COLOURS[photometric]] // 4
    right = expected(pixels, photometric, bits, premultiplied=premultiplied).astype(int)
    # Multiplication is undone in the eight bits of colours, and in all of grey.
    tolerance = 0 if not premultiplied else 1 if COLOURS[photometric] == 1 else 3
    for options in layouts(samples):
        (tmp_path / "a.tif").write_bytes(
            written(pixels, photometric, **options | ({"extrasamples": extra} if extra else {}))
        )
        found = decode(tmp_path / "a.tif", ImageSpec(WIDTH, HEIGHT, "RGB")).astype(int)
        assert np.abs(found - right).max() <= tolerance, options
        assert read_header(tmp_path / "a.tif")[:3] == (WIDTH, HEIGHT, "L" if COLOURS[photometric] == 1 else "RGB")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [1, 2, 4, 12])
@pytest.mark.parametrize("photometric", [GREY, GREY_WHITE_IS_ZERO, RGB])
def test_packed_pixels_in_planes(photometric: int, bits: int, order: str) -> None:
    pixels = np.random.default_rng(bits).integers(0, 1 << bits, (HEIGHT, 24, 3))
    white = (1 << bits) - 1
    right = (white - pixels if photometric == GREY_WHITE_IS_ZERO else pixels) * (1 if bits == 12 else 255 // white)
    right = (right >> 8 if bits == 12 else right)[..., : 3 if photometric == RGB else 1]
    extra = {} if photometric == RGB else {338: 0}
    content = tiff(packed(pixels, bits), photometric, bits=bits, separate=True, order=order, more=extra)
    if bits == 12 and order == ">":
        with pytest.raises(ImageError, match="a TIFF of 12-bit"):
            decode(content, ImageSpec(24, HEIGHT, "RGB"))
    else:
        np.testing.assert_array_equal(
            decode(content, ImageSpec(24, HEIGHT, "RGB")), np.broadcast_to(right, pixels.shape)
        )


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 12, 16])
@pytest.mark.parametrize("photometric", [GREY, GREY_WHITE_IS_ZERO])
def test_one_sample_is_the_same_in_a_plane_of_its_own(photometric: int, bits: int, order: str) -> None:
    pixels = np.random.default_rng(bits).integers(0, 1 << bits, (HEIGHT, 24, 1))
    stored = pixels.astype(np.uint16) if bits == 16 else packed(pixels, bits)
    size = bits if bits != 16 else None
    white = (1 << bits) - 1
    right = white - pixels if photometric == GREY_WHITE_IS_ZERO else pixels
    right = right >> 8 if bits > 8 else right * (255 // white)
    for separate in (False, True):
        content = tiff(stored, photometric, bits=size, separate=separate, order=order)
        if bits == 12 and order == ">":
            with pytest.raises(ImageError, match="a TIFF of 12-bit grey cannot be read; convert it to grey or RGB of"):
                decode(content, ImageSpec(24, HEIGHT, "L"))
        else:
            np.testing.assert_array_equal(decode(content, ImageSpec(24, HEIGHT, "L")), right)


def test_a_big_tiff_of_either_order_is_read() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    for options in layouts(3):
        content = written(pixels, "rgb", bigtiff=True, **options)
        np.testing.assert_array_equal(decode(content, ImageSpec(WIDTH, HEIGHT, "RGB")), pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_planes_are_turned_upright_as_other_pictures_are(tmp_path: Path, orientation: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    size = (WIDTH, HEIGHT) if orientation < 5 else (HEIGHT, WIDTH)
    found = []
    for plane in ("contig", "separate"):
        content = written(pixels, "rgb", planarconfig=plane, extratags=[(274, "H", 1, orientation, True)])
        (tmp_path / "a.tif").write_bytes(content)
        assert read_header(tmp_path / "a.tif")[:3] == (*size, "RGB")
        found.append(decode(content, ImageSpec(*size, "RGB")).tolist())
    assert found[0] == found[1]


def test_more_planes_than_colours_cost_nothing_and_change_nothing() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 40)).astype(np.uint8)
    content = written(pixels, "minisblack", planarconfig="separate", extrasamples=["unspecified"] * 39)
    np.testing.assert_array_equal(decode(content, ImageSpec(WIDTH, HEIGHT, "L")), pixels[..., :1])


def test_white_alpha_of_zero_and_colours_above_alpha_have_their_values() -> None:
    pixels = np.array([[[1000, 0], [30000, 20000], [30000, 60000]]], np.uint16)
    content = tiff(pixels, GREY, extra=1)
    assert decode(content, ImageSpec(3, 1, "L")).ravel().tolist() == [1000 >> 8, 255, 30000 * 65535 // 60000 >> 8]


PACKAGE = "cannot be read; save it with Deflate or LZW"
RANGE = "have no known range; convert the image to"
ADVICE = "cannot be read; convert it to grey or RGB of 8 or 16 bits"
PLAIN = np.full((2, 2), 7, np.uint8)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (tiff(PLAIN.astype(np.float16), GREY), f"floating-point pixels {RANGE} 8 or 16 bits"),
        (tiff(np.full((2, 2, 3), 0.5, np.float32), RGB), f"32-bit pixels {RANGE} 8 or 16 bits"),
        (tiff(PLAIN.astype(np.float64), GREY), f"64-bit pixels {RANGE} 8 or 16 bits"),
        (tiff(PLAIN.astype(np.uint32), GREY_WHITE_IS_ZERO), f"32-bit pixels {RANGE} 8 or 16 bits"),
        (tiff(PLAIN.astype(np.int16), GREY, order=">"), f"signed pixels {RANGE} unsigned 8 or 16 bits"),
        (tiff(PLAIN, GREY, more={339: 4}), f"pixels of no stated kind {RANGE} 8 or 16 bits"),
        (tiff(np.full((2, 2, 3), 7, np.uint16), LAB), f"a TIFF of 16-bit Lab {ADVICE}"),
        (tiff(np.full((2, 2, 3), 7, np.uint8), LAB, separate=True), f"a TIFF of 8-bit Lab in planes {ADVICE}"),
        (tiff(np.full((2, 2, 3), 7, np.uint8), YCBCR), f"a TIFF of 8-bit YCbCr {ADVICE}"),
        (tiff(PLAIN, 32844), f"a TIFF of 8-bit kind 32844 {ADVICE}"),
        (tiff(PLAIN, GREY, bits=2, more={258: 3}), f"a TIFF of 3-bit grey {ADVICE}"),
        (tiff(PLAIN, RGB), "a TIFF file that is damaged, or of a kind that cannot be read"),
        (tiff(PLAIN, GREY, more={259: 34712}), f"a TIFF compressed as JPEG 2000 {PACKAGE}"),
        (tiff(PLAIN, GREY, more={259: 999}), f"a TIFF compressed as method 999 {PACKAGE}"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.tif").write_bytes(content)
    assert cause(tmp_path / "a.tif") == why
