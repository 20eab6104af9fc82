"""What a file claims before any decoder sees it: how many parts and values, so that none costs more than its pixels.

Decoders keep an object for each part of a file, and some look at each byte between the parts one by one. So a small
file can take minutes and gigabytes, whatever the number of its pixels. The limits are far above what sound files hold.
"""

import re
import struct
import zlib
from collections.abc import Iterator

from adscore.errors import ImageError

_PNG = b"\x89PNG\r\n\x1a\n"
_CHUNK = struct.Struct(">I4s").unpack_from  # before its data; behind it stands the checksum of name and data
# In pieces of 8 kB, as libpng writes them, these hold 1.6 GB.
_MOST_CHUNKS = 200_000

_JPEG = b"\xff\xd8\xff"
_SEGMENT = struct.Struct(">xBH").unpack_from
_MARKER = re.compile(rb"\xff[^\0\xff]")
_WITH_LENGTH = frozenset({*range(0xC0, 0xF0), 0xFE}) - {0xC8, *range(0xD0, 0xDA)}
_FRAME, _PROGRESSIVE = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}, (0xC2, 0xC6, 0xCA, 0xCE)
_SCAN, _JPEG_LS = 0xDA, 0xF7
# What is smaller costs little, whatever it holds, and the walk would take a tenth of decoding it.
_SMALL = 1 << 14
# Usual are ten; those of a picture with depth and other pictures inside are some hundreds.
_MOST_SEGMENTS = 1000
_MOST_PADDING = 1 << 16
# A megabyte. The standard knows one only, and Pillow copies all it has for each further one.
_MOST_EXIF = 16
# Usual are ten, each a pass over all pixels.
_MOST_SCANS = 1000

_NETPBM = tuple(b"P%c" % kind for kind in b"0123456fy")
_TOKEN = rb"(?:\s|#[^\r\n]*+[\r\n])*+(?:[^\s#]|#[^\r\n]*+[\r\n])++"
_NETPBM_HEADER = re.compile(rb"P(?:[14]\S*+(?:%b){2}|[^14]\S*+(?:%b){3})\s" % (_TOKEN, _TOKEN))
_MOST_HEADER = 1 << 16
_MOST_TEXT = 1 << 26
_MOST_COMMENTS = 10_000


def examine(content: bytes) -> bytes:
    """Returns a file as decoders may see it: without what they need not know and may stumble over.

    Args:
        content: of a file of any kind but TIFF.

    Raises:
        ImageError: it claims more than any sound file, or a checksum of PNG's pixels is wrong.
    """
    if content.startswith(_PNG):
        return _examine_png(content)
    if content.startswith(_JPEG):
        return _examine_jpeg(content)
    if content.startswith(_NETPBM):
        _examine_netpbm(content)
    return content


def without_exif(content: bytes) -> bytes:
    """Returns a JPEG without its EXIF; anything else as it is."""
    if not content.startswith(_JPEG):
        return content
    segments = _segments(content)
    return _without(content, [(before, end) for _, before, start, end in segments if _is_exif(content, start)])


def _examine_png(content: bytes) -> bytes:
    """Returns a PNG without its colour profile, which Pillow would unpack, and refuse if it is large."""
    view, size, start = memoryview(content), len(content), len(_PNG)
    profiles: list[tuple[int, int]] = []
    for _ in range(_MOST_CHUNKS):
        if start + 12 > size:
            return _without(content, profiles) if profiles else content
        length, name = _CHUNK(content, start)
        end = start + 8 + length
        if name == b"IDAT":
            # Pillow checks those of all other parts.
            if zlib.crc32(view[start + 4 : end]) != int.from_bytes(content[end : end + 4]):
                raise ImageError("damaged or truncated PNG: the checksum of its pixels is wrong")
        elif name == b"iCCP":
            profiles.append((start, end + 4))
        start = end + 4
    raise ImageError(f"a PNG of more than {_MOST_CHUNKS} chunks")


def _examine_jpeg(content: bytes) -> bytes:
    """Returns a JPEG, without its EXIF where that is too large to be any."""
    if len(content) < _SMALL and content.count(b"\xff\xda") <= _MOST_SCANS:
        return content
    padding = exif = 0
    progressive, colours = False, b""
    for segments, (marker, before, start, _) in enumerate(_segments(content), 1):
        padding += start - before
        if segments > _MOST_SEGMENTS:
            raise ImageError(f"a JPEG of more than {_MOST_SEGMENTS} segments before its pixels")
        exif += _is_exif(content, start)
        if marker in _FRAME:
            progressive, colours = marker in _PROGRESSIVE, content[start + 9 : start + 10]
        # Most have one scan of all colours, after which the decoder stops: those are not searched for more.
        elif marker == _SCAN and (progressive or content[start + 4 : start + 5] != colours):
            scans = content.count(b"\xff\xda")
            if scans > _MOST_SCANS:
                raise ImageError(f"a JPEG of {scans} scans, which are more than the {_MOST_SCANS} allowed")
    if padding > _MOST_PADDING:
        raise ImageError(f"a JPEG with more than {_MOST_PADDING} bytes between its segments")
    return without_exif(content) if exif > _MOST_EXIF else content


def frame_of_jpeg(content: bytes) -> tuple[int, int]:
    """Returns the marker of a JPEG's first frame, which tells its kind, and the bits of a sample; or (0, 0)."""
    for number, (marker, _, start, _) in enumerate(_segments(content)):
        if number > _MOST_SEGMENTS:
            break
        if (marker in _FRAME or marker == _JPEG_LS) and start + 4 < len(content):
            return marker, content[start + 4]
    return 0, 0


def _segments(content: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yields (marker, end of the one before, start, end) of a JPEG's segments to its first scan, or to its end."""
    before = 2
    while match := _MARKER.search(content, before):
        start = match.start()
        marker, length = _SEGMENT(content, start) if start + 4 <= len(content) else (0, 0)
        end = start + 2 + (max(2, length) if marker in _WITH_LENGTH else 0)
        yield marker, before, start, end
        if marker == _SCAN:
            return
        before = end
    yield 0, before, max(before, len(content)), len(content)


def _is_exif(content: bytes, start: int) -> bool:
    return content.startswith(b"\xff\xe1", start) and content.startswith(b"Exif\0\0", start + 4)


def _examine_netpbm(content: bytes) -> None:
    if len(content) > _MOST_HEADER and not _NETPBM_HEADER.match(content, 0, _MOST_HEADER):
        raise ImageError(f"a PPM with a header of more than {_MOST_HEADER} bytes")
    if content[1:2] in (b"1", b"2", b"3"):
        if len(content) > _MOST_TEXT:
            raise ImageError(f"a PPM in text of more than {_MOST_TEXT} bytes")
        if content.count(b"#") > _MOST_COMMENTS:
            raise ImageError(f"a PPM in text with more than {_MOST_COMMENTS} comments")


def _without(content: bytes, spans: list[tuple[int, int]]) -> bytes:
    """Returns `content` without some parts, (start, end) each, in their order."""
    if not spans:
        return content
    view, starts, ends = memoryview(content), [0, *(end for _, end in spans)], [start for start, _ in spans]
    return b"".join(view[start:end] for start, end in zip(starts, [*ends, len(content)], strict=True))
