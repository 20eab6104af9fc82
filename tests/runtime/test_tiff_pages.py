"""Which page of a TIFF is the picture: the first that is no preview, or none; and no walk without an end."""

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from adscore.errors import ImageError
from adscore.images import decode, read_header
from adscore.spec import ImageSpec
from tests.causes import cause
from tests.tiff import GREY, tiff

PREVIEW, FULL, MASK = 1, 0, 4
SMALL, LARGE = np.full((4, 4), 9, np.uint8), np.full((6, 8), 200, np.uint8)
ONLY = "only a preview, or a mask, of a picture that is not in the file; save the picture itself"
RAW = "raw data of a camera; develop it to a TIFF, PNG or JPEG"
GREY_OF = ImageSpec(8, 6, "L")


def pages(*kinds: int, **options: Any) -> bytes:
    """Returns a TIFF with a small page for each preview, and a large one for each full picture."""
    buffer = BytesIO()
    with tifffile.TiffWriter(buffer, **options) as writer:
        for kind in kinds:
            writer.write(SMALL if kind else LARGE, subfiletype=kind, metadata=None)
    return buffer.getvalue()


def below(*kinds: int, **options: Any) -> bytes:
    """Returns a TIFF whose first page is a preview with such pages in directories of its own."""
    buffer = BytesIO()
    with tifffile.TiffWriter(buffer, **options) as writer:
        writer.write(SMALL, subfiletype=PREVIEW, subifds=len(kinds), metadata=None)
        for kind in kinds:
            writer.write(SMALL if kind else LARGE, subfiletype=kind, metadata=None)
    return buffer.getvalue()


@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"bigtiff": True}], ids=["II", "MM", "big"])
@pytest.mark.parametrize("make", [pages, below])
def test_the_full_picture_is_read_and_not_its_preview(tmp_path: Path, make: Any, options: dict[str, Any]) -> None:
    for kinds in ((FULL,), (PREVIEW, FULL), (PREVIEW, FULL, PREVIEW), (PREVIEW, PREVIEW, FULL)):
        (tmp_path / "a.tif").write_bytes(make(*kinds, **options))
        assert read_header(tmp_path / "a.tif")[:3] == (8, 6, "L")
        assert decode(tmp_path / "a.tif", GREY_OF).tolist() == LARGE[..., None].tolist()


def test_of_full_pictures_the_first_counts() -> None:
    buffer = BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for value in (7, 8, 9):
            writer.write(np.full((6, 8), value, np.uint8), metadata=None)
    assert decode(buffer.getvalue(), GREY_OF).max() == 7


def test_a_full_picture_of_a_kind_that_pillow_does_not_read() -> None:
    pixels = np.random.default_rng(1).integers(0, 65535, (3, 6, 8)).astype(np.uint16)
    buffer = BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(SMALL, subfiletype=PREVIEW, metadata=None)
        writer.write(pixels, photometric="rgb", planarconfig="separate", metadata=None)
    found = decode(buffer.getvalue(), ImageSpec(8, 6, "RGB"))
    np.testing.assert_array_equal(found, np.moveaxis(pixels >> 8, 0, 2))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pages(PREVIEW), ONLY),
        (pages(PREVIEW, PREVIEW, PREVIEW), ONLY),
        (below(PREVIEW, PREVIEW), ONLY),
        (tiff(SMALL, GREY, more={254: MASK}), ONLY),
        (tiff(SMALL, GREY, more={255: 2}), ONLY),
        (tiff(SMALL, GREY, more={254: 1, 255: 1}), ONLY),
        (tiff(SMALL, GREY, more={50706: 0x0401}), RAW),
        (tiff(SMALL, GREY, more={50706: 0x0401, 254: 1}), RAW),
        (tiff(SMALL, 32803), RAW),
        (tiff(SMALL, 34892), RAW),
        (b"II*\0\x10\0\0\0CR\2\0".ljust(200, b"\0"), RAW),
    ],
    ids=["one", "none but", "below", "mask", "old tag", "both tags", "DNG", "DNG preview", "mosaic", "linear", "CR2"],
)  # fmt: skip
def test_what_holds_no_picture_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.tif").write_bytes(content)
    assert cause(tmp_path / "a.tif") == why


def test_a_page_of_several_or_a_full_one_of_the_old_tag_is_a_picture() -> None:
    for more in ({254: 2}, {255: 1}, {255: 3}, {254: 0, 255: 2}):
        assert decode(tiff(LARGE, GREY, more=more), GREY_OF).max() == 200


def chained(*following: int) -> bytes:
    """Returns previews at bytes 8, 26, 44, ... each of which says where the next one is."""
    entry = struct.pack("<HHHII", 1, 254, 4, 1, PREVIEW)
    return b"II*\0\x08\0\0\0" + b"".join(entry + struct.pack("<I", start) for start in following)


@pytest.mark.parametrize(
    "content", [chained(8), chained(26, 8), chained(26, 44, 26), chained(*range(26, 26 + 18 * 5000, 18), 0)]
)
def test_previews_in_a_circle_or_thousands_of_them_end(content: bytes) -> None:
    with pytest.raises(ImageError) as raised:
        decode(content, GREY_OF)
    assert str(raised.value) == ONLY


@pytest.mark.parametrize("start", [1, 1 << 20, (1 << 32) - 1])
def test_a_preview_of_what_lies_beyond_the_file_is_damaged(start: int) -> None:
    with pytest.raises(ImageError, match="a TIFF file that is damaged"):
        decode(chained(start), GREY_OF)


def test_a_tag_of_the_pixels_that_is_there_twice_is_damaged() -> None:
    content = tiff(SMALL, GREY)
    sample_format, photometric = (struct.pack("<HHII", tag, 3, 1, 1) for tag in (339, 262))
    twice = content.replace(sample_format, photometric)
    assert twice.count(photometric) == 2
    with pytest.raises(ImageError, match="a TIFF file that is damaged"):
        decode(twice, GREY_OF)
