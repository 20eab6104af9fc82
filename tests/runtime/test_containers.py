"""Files that claim more than any sound one: refused before a decoder takes time or memory for each part."""

import os
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adscore.errors import ImageError
from adscore.images import Limits, decode, read_header
from adscore.spec import ImageSpec
from tests.causes import cause

GREY = ImageSpec(2, 2, "L")
EVEN = [[[9], [9]], [[9], [9]]]


def saved(kind: str, **options: Any) -> bytes:
    content = BytesIO()
    Image.new("L", (8, 8), 9).save(content, kind, **options)
    return content.getvalue()


def gradient(**options: bool) -> bytes:
    content = BytesIO()
    Image.linear_gradient("L").save(content, "JPEG", **options)
    return content.getvalue()


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[bytes], str]:
    def why(content: bytes, limits: Limits | None = None) -> str:
        (tmp_path / "image").write_bytes(content)
        return cause(tmp_path / "image", limits)

    return why


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.mark.parametrize("name", [b"vpAg", b"IDAT", b"tEXt"])
def test_a_png_of_very_many_chunks(refused: Callable[[bytes], str], name: bytes) -> None:
    content = saved("PNG")
    head, rest = content[:33], content[33:]
    assert decode(head + chunk(b"IDAT") * 2000 + rest, GREY).tolist() == EVEN
    for before, behind in ((200_000, 0), (0, 200_000)):
        many = head + chunk(name) * before + rest[:-12] + chunk(name) * behind + rest[-12:]
        assert refused(many) == "a PNG of more than 200000 chunks"


@pytest.mark.parametrize("profile", [zlib.compress(os.urandom(2_000_000)), zlib.compress(bytes(2_000_000)), b"none"])
def test_a_large_or_broken_colour_profile_of_a_png_is_passed_over(tmp_path: Path, profile: bytes) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = BytesIO()
    Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3)).save(content, "PNG", exif=exif)
    head, rest = content.getvalue()[:33], content.getvalue()[33:]
    (tmp_path / "a.png").write_bytes(head + chunk(b"iCCP", b"x\0\0" + profile) + rest)
    assert decode(tmp_path / "a.png", ImageSpec(2, 3, "L"))[..., 0].tolist() == [[3, 0], [4, 1], [5, 2]]
    assert read_header(tmp_path / "a.png")[:3] == (2, 3, "L")


@pytest.mark.parametrize("segment", [b"\xff\xe5\0\2", b"\xff\xfe\0\2", b"\xff\xdd\0\4\0\0"])
def test_a_jpeg_of_very_many_segments(refused: Callable[[bytes], str], segment: bytes) -> None:
    content = saved("JPEG")
    assert decode(content[:2] + segment * 900 + content[2:], GREY).tolist() == EVEN
    assert refused(content[:2] + segment * 5000 + content[2:]) == "a JPEG of more than 1000 segments before its pixels"


def test_a_jpeg_with_much_between_its_segments(refused: Callable[[bytes], str]) -> None:
    content = saved("JPEG")
    why = "a JPEG with more than 65536 bytes between its segments"
    for padding in (b"\xff", b"\xff\0"):
        assert decode(content[:2] + padding * 500 + content[2:], GREY).tolist() == EVEN
        assert refused(content[:2] + padding * 70_000 + content[2:]) == why
    assert refused(content[:2] + b"\xff" + bytes(70_000)) == why


def exif_segment(tags: bytes, size: int = 0) -> bytes:
    data = b"Exif\0\0MM\0*\0\0\0\x08" + (tags + bytes(4)).ljust(size, b"\0")
    return b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data


def test_exif_in_very_many_segments_counts_as_upright() -> None:
    content = gradient()
    turned = exif_segment(struct.pack(">HHHIHH", 1, 0x0112, 3, 1, 3, 0), 60_000)
    sound, upside_down = decode(content, GREY), decode(content[:2] + turned + content[2:], GREY)
    assert upside_down.tolist() == sound[::-1].tolist()
    assert decode(content[:2] + turned * 17 + content[2:], GREY).tolist() == sound.tolist()


def test_a_jpeg_whose_exif_breaks_off_in_its_resolution_is_sound(tmp_path: Path) -> None:
    content = gradient()
    density = content.index(b"\xff\xe0")
    content = content[:density] + content[density + 18 :]  # with it Pillow would not look for another
    broken = struct.pack(">HHHI4sHHIHH", 2, 0x011A, 2, 2, b"5\0", 0x0128, 3, 1, 2, 0)
    (tmp_path / "a.jpg").write_bytes(content[:2] + exif_segment(broken) + content[2:])
    assert decode(tmp_path / "a.jpg", GREY).tolist() == decode(content, GREY).tolist()
    assert read_header(tmp_path / "a.jpg")[:3] == (256, 256, "L")
    (tmp_path / "a.jpg").write_bytes(content[:2] + exif_segment(broken) + b"\xff\xc0\0\2")
    assert cause(tmp_path / "a.jpg") == "a JPEG file that is damaged, or of a kind that cannot be read"


def test_a_jpeg_of_thousands_of_scans_is_refused_before_each_is_decoded(refused: Callable[[bytes], str]) -> None:
    content = gradient(progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    allowed = 1000 - content.count(b"\xff\xda")
    assert decode(content[:-2] + last * allowed + b"\xff\xd9", GREY).shape == (2, 2, 1)
    many = content[:-2] + last * (allowed + 1) + b"\xff\xd9"
    assert refused(many) == "a JPEG of 1001 scans, which are more than the 1000 allowed"


def test_so_is_one_of_a_scan_for_each_colour(refused: Callable[[bytes], str]) -> None:
    content = gradient()
    frame, scan = content.index(b"\xff\xc0"), content.index(b"\xff\xda")
    # The same frame of three colours, and for each the scan of the grey one.
    size = content[frame + 5 : frame + 9]
    head = content[:frame] + b"\xff\xc0\0\x11\x08" + size + b"\3\1\x11\0\2\x11\0\3\x11\0" + content[frame + 13 : scan]
    scans = [content[scan : scan + 5] + bytes([colour]) + content[scan + 6 : -2] for colour in (1, 2, 3)]
    assert decode(head + b"".join(scans) + b"\xff\xd9", GREY).shape == (2, 2, 1)
    many = head + b"".join(scans) * 334 + b"\xff\xd9"
    assert refused(many) == "a JPEG of 1002 scans, which are more than the 1000 allowed"


def tiff_directory(
    *entries: tuple[int, int, int, int], order: str = "<", big: bool = False, data: bytes = b""
) -> bytes:
    """Returns a TIFF of a directory of (tag, type, count, value) and, from byte 16 on, `data`."""
    start = 16 + len(data)
    letters = b"II" if order == "<" else b"MM"
    if big:
        head = letters + struct.pack(f"{order}HHHQ", 43, 8, 0, start)
        body = b"".join(struct.pack(f"{order}HHQQ", *entry) for entry in entries)
        return head + data + struct.pack(f"{order}Q", len(entries)) + body + bytes(8)
    head = (letters + struct.pack(f"{order}HI", 42, start)).ljust(16, b"\0")
    short = {3: 1 << 16 if order == ">" else 1}  # two bytes of four
    body = b"".join(
        struct.pack(f"{order}HHII", tag, kind, n, value * short.get(kind, 1)) for tag, kind, n, value in entries
    )
    return head + data + struct.pack(f"{order}H", len(entries)) + body + bytes(4)


SIZE = ((256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1))
FORMS = [("<", False), (">", False), ("<", True)]


@pytest.mark.parametrize(("order", "big"), FORMS)
def test_a_tiff_of_very_many_strips_tiles_or_other_values(
    refused: Callable[[bytes], str], order: str, big: bool
) -> None:
    why = "a TIFF of more than 400000 strips, tiles and other values"
    form: dict[str, Any] = {"order": order, "big": big}
    sound = tiff_directory(*SIZE, (273, 4, 1, 16), data=b"\x09" * 64, **form)
    assert decode(sound, GREY).tolist() == EVEN
    many = b"\x08" * 800_100
    tiles = ((322, 3, 1, 1), (323, 3, 1, 1), (324, 1, 400_001, 16))
    assert refused(tiff_directory(*SIZE, *tiles, data=many, **form)) == why
    assert refused(tiff_directory(*SIZE, (273, 3, 400_001, 16), data=many, **form)) == why
    assert refused(tiff_directory(*SIZE, (273, 4, 1, 16), (339, 3, 400_001, 16), data=many, **form)) == why
    # So many in the directory of EXIF, which Pillow reads as well: it stands at byte 16, its values behind.
    further = tiff_directory((282, 3, 400_001, 100), order=order, big=big)[16:]
    nested = further.ljust(100, b"\0") + many
    assert refused(tiff_directory(*SIZE, (273, 4, 1, 16), (34665, 4, 1, 16), data=nested, **form)) == why


@pytest.mark.parametrize(("order", "big"), FORMS)
def test_tiles_of_more_pixels_than_allowed(refused: Callable[..., str], order: str, big: bool) -> None:
    tiles = ((322, 4, 1, 40_000), (323, 4, 1, 40_000), (324, 4, 1, 16), (325, 4, 1, 64))
    content = tiff_directory(*SIZE[:3], (259, 3, 1, 8), *tiles, data=bytes(64), order=order, big=big)
    assert refused(content) == "tiles of 40000x40000 pixels are more than the 89478485 allowed"
    assert refused(content, Limits(pixels=99)) == "tiles of 40000x40000 pixels are more than the 99 allowed"


@pytest.mark.parametrize("offset", [8, 1 << 20, (1 << 64) - 1])
def test_a_tiff_without_a_directory_is_damaged(refused: Callable[[bytes], str], offset: int) -> None:
    content = b"II+\0\x08\0\0\0" + struct.pack("<Q", offset)
    assert refused(content) == "a TIFF file that is damaged, or of a kind that cannot be read"


def test_netpbm_of_very_many_comments_or_a_long_header(refused: Callable[[bytes], str]) -> None:
    assert decode(b"P2\n2 2\n255\n" + b"#\n" * 5000 + b"9 9 9 9", GREY).tolist() == EVEN
    many = b"P2\n2 2\n255\n" + b"#\n" * 10_001 + b"9 9 9 9"
    assert refused(many) == "a PPM in text with more than 10000 comments"
    for filler in (b"#" + b"x" * 60_000 + b"\n", b"#\n" * 30_000, b" " * 60_000):
        assert decode(b"P5\n" + filler + b"2 2 # two\n255\n" + bytes([9] * 4) + b"#" * 70_000, GREY).tolist() == EVEN
        assert (
            refused(b"P5\n" + filler * 2 + b"2 2\n255\n" + bytes([9] * 4))
            == "a PPM with a header of more than 65536 bytes"
        )
    assert decode(b"P4 # bits\n800 800\n" + b"\xff" * 80_000, GREY).tolist() == [[[0], [0]], [[0], [0]]]
    large = b"P3 1 1 255 1 2 3".ljust((1 << 26) + 1)
    assert refused(large) == "a PPM in text of more than 67108864 bytes"


@pytest.mark.parametrize("kind", ["L", "RGB"])
@pytest.mark.parametrize("maximum", [1, 2, 15, 100, 254, 256, 1000, 1023, 4095, 16383, 65534])
def test_netpbm_of_any_maximum_becomes_what_pillow_makes_of_it(kind: str, maximum: int) -> None:
    samples = np.linspace(0, 255 if maximum < 256 else 65535, 600).astype("u1" if maximum < 256 else ">u2")
    samples[:3] = 0, maximum // 2, maximum
    content = b"P%d 20 %d %d\n" % ((5, 30, maximum) if kind == "L" else (6, 10, maximum)) + samples.tobytes()
    with Image.open(BytesIO(content)) as image:
        pillow = np.asarray(image)
    size = pillow.shape[:2]
    expected = pillow.reshape(*size, -1) >> (8 if image.mode == "I" else 0)
    assert decode(content + b"more", ImageSpec(20, size[0], kind)).tolist() == expected.tolist()  # type: ignore[arg-type]
    with pytest.raises(ImageError, match=r"^not enough image data$"):
        decode(content[:-1], GREY)


def test_a_side_of_more_than_a_million_pixels(refused: Callable[[bytes], str]) -> None:
    for size in ((1_000_001, 1), (1, 1_000_001)):
        content = BytesIO()
        Image.new("1", size).save(content, "PNG")
        assert refused(content.getvalue()) == f"{size[0]}x{size[1]} pixels have a side of more than 1000000"
    content = BytesIO()
    Image.new("L", (1, 1_000_000), 9).save(content, "PNG")
    assert decode(content.getvalue(), GREY).tolist() == EVEN
