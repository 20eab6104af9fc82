"""Whatever bytes come as an image: pixels of the spec's shape, or a cause that fits into a row."""

import warnings
from io import BytesIO
from typing import Any

import numpy as np
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from adscore.errors import ImageError
from adscore.images import Limits, Pixels, decode
from adscore.spec import ImageSpec
from tests.fuzz.edits import edited
from tests.tiff import CMYK, GREY, GREY_WHITE_IS_ZERO, LAB, RGB, tiff

SPECS = (ImageSpec(5, 4, "L"), ImageSpec(5, 4, "RGB"), ImageSpec(2, 2, "L", jpeg="reduced"))
# So that a header that claims much costs no time here.
LIMITS = Limits(pixels=1 << 18, bytes=1 << 20)


def sound() -> list[bytes]:
    """Returns a small image of every kind that Pillow writes, and of some that it only reads."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.effect_noise((12, 9), 90)
    lzw: dict[str, Any] = {"compression": "tiff_lzw"}
    turned: dict[str, Any] = {"exif": exif}
    saved: list[tuple[str, str, dict[str, Any]]] = [
        *((mode, "PNG", turned) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *((mode, "JPEG", turned | {"progressive": mode == "L"}) for mode in ("L", "RGB", "CMYK")),
        *((mode, "TIFF", lzw) for mode in ("L", "RGB", "CMYK", "LAB", "I;16", "F")),
        *(("RGB", "TIFF", lzw | {"compression": name}) for name in ("tiff_adobe_deflate", "jpeg", "packbits")),
        ("1", "TIFF", {"compression": "group4"}),
        *((mode, kind, {}) for mode in ("1", "L", "RGB") for kind in ("BMP", "PPM", "GIF")),
        *((mode, "WEBP", turned | {"lossless": mode == "RGB"}) for mode in ("RGB", "RGBA")),
        ("P", "GIF", {"save_all": True, "append_images": [picture.convert("P"), picture.rotate(90).convert("P")]}),
    ]
    files = []
    for mode, kind, options in saved:
        buffer = BytesIO()
        image = picture.convert("RGB").convert(mode) if mode in ("CMYK", "P", "RGBA") else Image.new(mode, (12, 9))
        image.save(buffer, kind, **options)
        files.append(buffer.getvalue())
    for photometric, channels in ((GREY_WHITE_IS_ZERO, 1), (GREY, 1), (RGB, 3), (RGB, 4), (CMYK, 4), (LAB, 3)):
        pixels = np.arange(12 * 9 * channels, dtype=np.uint16).reshape(9, 12, channels)
        files.append(tiff(pixels[..., 0] if channels == 1 else pixels, photometric))
        files.append(tiff(pixels, photometric, separate=True, order=">"))
    files += [
        written(predictor=True, tile=(16, 16)),
        written(planarconfig="separate"),
        written(bigtiff=True, byteorder=">"),
    ]
    return [*files, b"P3 1 1 255 200 100 50 ", b"P1 2 1 1 0 "]


def written(**options: Any) -> bytes:
    """Returns a TIFF with a preview before its picture, which is grey with alpha, or grey in two planes."""
    buffer = BytesIO()
    pixels = np.arange(12 * 9 * 2, dtype=np.uint16).reshape(9, 12, 2)
    with tifffile.TiffWriter(
        buffer, bigtiff=options.pop("bigtiff", False), byteorder=options.pop("byteorder", "<")
    ) as writer:
        writer.write(pixels[::2, ::2, 0], subfiletype=1)
        picture = np.moveaxis(pixels, 2, 0) if "planarconfig" in options else pixels
        writer.write(picture, photometric="minisblack", extrasamples=["assocalpha"], compression="zlib", **options)
    return buffer.getvalue()


def outcome(content: bytes, spec: ImageSpec) -> Pixels | str:
    """Returns the pixels, or why there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the commands have it
        try:
            return decode(content, spec, LIMITS)
        except ImageError as error:
            return str(error)


@given(st.one_of(edited(sound()), st.binary(max_size=200)), st.sampled_from(SPECS))
def test_bytes_become_pixels_or_a_cause(content: bytes, spec: ImageSpec) -> None:
    found = outcome(content, spec)
    if isinstance(found, str):
        assert 0 < len(found) < 300
        assert found.isprintable()
    else:
        assert found.dtype == np.uint8
        assert found.shape == spec.shape
