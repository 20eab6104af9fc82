"""Why an image was not read, in a few words for a row: what its file is, and what to do where something can be done."""

import re

from PIL import Image, UnidentifiedImageError

from adscore.containers import frame_of_jpeg
from adscore.opening import FORMATS

# Pillow's words for what is cut off. Its others name its own parts.
_CUT_OFF = re.compile(r"image file is truncated( \(\d+ bytes not processed\))?|not enough image data")
_ALSO_CUT_OFF = ("Truncated File Read", "Reached EOF while reading header")
_LOSSLESS_OR_HIERARCHICAL = (0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF)

_HEIC, _JPEG_2000, _JPEG_XL = (
    f"a {name} file cannot be read; convert it to PNG" for name in ("HEIC", "JPEG 2000", "JPEG XL")
)
# What is often found with an image's name, by the bytes at a place.
_OTHERS = (
    (4, b"ftyphei", _HEIC), (4, b"ftypmif1", _HEIC), (4, b"ftypavif", "an AVIF file cannot be read; convert it to PNG"),
    (0, b"\0\0\0\x0cjP  ", _JPEG_2000), (0, b"\xff\x4f\xff\x51", _JPEG_2000),
    (0, b"\0\0\0\x0cJXL ", _JPEG_XL), (0, b"\xff\x0a", _JPEG_XL),
    (0, b"II\xbc\x01", "a JPEG XR file cannot be read; convert it to PNG"),
    (0, b"P7\n", "a PAM file cannot be read; convert it to PPM or PNG"),
    (0, b"PF\n", "32-bit pixels have no known range; convert the image to 8 or 16 bits"),
    (1, b"PNG", "a PNG file that is damaged, or of a kind that cannot be read"),
    (0, b"8BPS", "a Photoshop file cannot be read; export it as PNG"),
    (0, b"version https://git-lfs", "only Git LFS's pointer to a file; fetch it with git lfs pull"),
)  # fmt: skip


def reason(error: Exception, content: bytes) -> str:
    """Returns why an image was not read, without the path that Pillow and the system put into theirs.

    Args:
        error: what was raised, by anything but us.
        content: of the file, empty if that could not be read.
    """
    if isinstance(error, MemoryError):
        return "not enough memory to decode it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split())
    if not content and not isinstance(error, UnidentifiedImageError):
        return text or type(error).__name__
    if cut_off := _CUT_OFF.match(text):
        return cut_off[0]
    if text in _ALSO_CUT_OFF:
        return "image file is truncated"
    if "MAX_TEXT" in text:
        return "a PNG with a text of more than 1 MB once it is unpacked, or 64 MB in all; save it without"
    return _what(content)


def _what(content: bytes) -> str:
    """Returns what a file is that no decoder took: damaged, by the bytes it begins with, or something else."""
    for name in (*FORMATS, "DIB"):
        accept = Image.OPEN[name][1]
        if len(content) > 3 and accept is not None and accept(content[:16]) is True:
            rare = _rare_jpeg(content) if name == "JPEG" else ""
            return rare or f"a {name} file that is damaged, or of a kind that cannot be read"
    for place, letters, what in _OTHERS:
        if content.startswith(letters, place):
            return what
    return f"not an image in a known format ({', '.join(FORMATS)})"


def _rare_jpeg(content: bytes) -> str:
    marker, bits = frame_of_jpeg(content)
    if marker == 0xF7:
        return "a JPEG-LS file cannot be read; convert it to PNG"
    if bits not in (0, 8):
        return f"a JPEG of {bits} bits a sample cannot be read; convert it to a PNG of 8 or 16 bits"
    if marker in _LOSSLESS_OR_HIERARCHICAL:
        return "a JPEG of a rare kind (lossless or hierarchical) cannot be read; convert it to PNG"
    return ""
