"""What a TIFF's directories say: the tags of the page that holds the picture, read within limits.

A directory may claim billions of values and may lead to any other; none costs more than what lies in the file.
"""

import struct
from contextlib import suppress
from typing import NamedTuple

from adscore.errors import ImageError

_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_SHORT = {kind: letter for kind, letter in _NUMBERS.items() if letter not in "Qq"}  # which fit into any entry
_KEPT_AS_BYTES = (1, 2, 7)
STRIPS, TILES = 273, 324  # their offsets
STRIP_BYTES, TILE_BYTES = 279, 325
TILE_WIDTH, TILE_LENGTH = 322, 323
_KIND, _OLD_KIND, _REDUCED, _MASK, _OLD_REDUCED = 254, 255, 1, 4, 2
_BELOW = 330  # offsets of directories that belong to this one
_DNG = 50706
_FURTHER = (34665, 34853, 40965)  # offsets of the directories that Pillow reads as well: EXIF's
# What pixels are made of. Pillow takes the last of a tag that is there twice, and libtiff the first.
_ONCE = frozenset((*range(254, 285), 317, *range(322, 326), 330, 338, 339, 347, 530, 532, *_FURTHER))
# Tiles of 16x16 pixels, the smallest there may be, are 349,526 in the largest picture.
_MOST_VALUES = 400_000
_MOST_PAGES = 1000

DAMAGED = "a TIFF file that is damaged, or of a kind that cannot be read"


class Form:
    """How a TIFF writes its numbers."""

    def __init__(self, order: str, *, big: bool) -> None:
        self.order = order  # "<" or ">", as in struct
        self.big = big  # a BigTIFF, with offsets of eight bytes
        self.length = struct.Struct(order + ("Q" if big else "H"))  # of a directory
        self.entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))  # tag, kind, count, value or its offset
        self.offset = struct.Struct(order + ("Q" if big else "I"))
        self.single = {kind: struct.Struct(order + letter).unpack_from for kind, letter in _NUMBERS.items()}

    def pointing_to(self, content: bytes, start: int) -> bytes:
        """Returns the file with the directory at `start` as its first."""
        place = 8 if self.big else 4
        return b"".join((content[:place], self.offset.pack(start), memoryview(content)[place + self.offset.size :]))


_FORMS = {
    (letters, big): Form(order, big=big) for letters, order in ((b"II", "<"), (b"MM", ">")) for big in (False, True)
}


class Page(NamedTuple):
    """One directory; its numbers are looked up when they are asked for."""

    content: bytes
    form: Form
    start: int
    entries: dict[int, tuple[int, int, int]]  # by tag: kind, count, place of the value
    following: int  # where the next one starts
    values: int  # how many a decoder would keep

    def number(self, tag: int, default: int) -> int:
        """Returns the first number of a tag; for errors see `numbers`."""
        entry = self.entries.get(tag)
        if entry is None:
            return default
        kind, count, place = entry
        if count == 1 and kind in _SHORT:  # as most are
            return int(self.form.single[kind](self.content, place)[0])
        return self.numbers(tag)[0]

    def numbers(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Returns the numbers of a tag.

        Raises:
            ImageError: they are no numbers, or lie beyond the end of the file.
        """
        if tag not in self.entries:
            return default
        kind, count, place = self.entries[tag]
        if kind not in _NUMBERS or not 0 < count <= _MOST_VALUES:
            raise ImageError(DAMAGED)
        form = struct.Struct(f"{self.form.order}{count}{_NUMBERS[kind]}")
        return form.unpack_from(self.content, self._start(form.size, place))

    def bytes_of(self, tag: int) -> bytes:
        """Returns the bytes of a tag that holds no numbers, none if it is not there."""
        if tag not in self.entries:
            return b""
        _, count, place = self.entries[tag]
        start = self._start(count, place)
        return self.content[start : start + count]

    def _start(self, size: int, place: int) -> int:
        if size <= self.form.offset.size:
            return place
        (start,) = self.form.offset.unpack_from(self.content, place)
        if start + size > len(self.content):
            raise ImageError(DAMAGED)
        return int(start)

    @property
    def is_reduced(self) -> bool:
        """Whether this is a preview of another page, or a mask for one."""
        if _KIND in self.entries:
            return bool(self.number(_KIND, 0) & (_REDUCED | _MASK))
        return self.numbers(_OLD_KIND) == (_OLD_REDUCED,)


def read_page(content: bytes, pixels: int) -> tuple[Page, bool]:
    """Returns the page that holds the picture, the first that is no preview, and whether it is the file's first.

    Args:
        content: of a file that begins as a TIFF does.
        pixels: the most that a tile may have.

    Raises:
        ImageError: it is damaged, claims more than any sound file, or holds no picture but a preview or raw data.
    """
    form = _FORMS[content[:2], b"+" in content[2:4]]
    try:
        (start,) = form.offset.unpack_from(content, 8 if form.big else 4)
        first = _read(content, form, start)
        if _DNG in first.entries or content.startswith(b"CR", 8):
            raise ImageError("raw data of a camera; develop it to a TIFF, PNG or JPEG")
        page = _full_picture(first) if first.is_reduced else first
        width, length = page.number(TILE_WIDTH, 0), page.number(TILE_LENGTH, 0)
        if width * length > pixels:
            raise ImageError(f"tiles of {width}x{length} pixels are more than the {pixels} allowed")
    except (struct.error, OverflowError) as error:
        raise ImageError(DAMAGED) from error
    for tag in _FURTHER:
        kind, count, _ = page.entries.get(tag, (0, 0, 0))
        if kind in _NUMBERS and count == 1:
            with suppress(struct.error, OverflowError):  # broken EXIF says nothing of the pixels
                _read(content, form, page.number(tag, 0))
    return page, page is first


def _full_picture(first: Page) -> Page:
    """Returns the page that `first` is a preview of: of those below it and behind it the first that is none."""
    waiting = [*first.numbers(_BELOW), first.following][:_MOST_PAGES]
    seen, values = {0, first.start}, first.values
    while waiting:
        start = waiting.pop(0)
        if start in seen:
            continue
        seen.add(start)
        page = _read(first.content, first.form, start)
        values += page.values
        if values > _MOST_VALUES or len(seen) > _MOST_PAGES:
            break
        if not page.is_reduced:
            return page
        waiting.append(page.following)
    raise ImageError("only a preview, or a mask, of a picture that is not in the file; save the picture itself")


def _read(content: bytes, form: Form, start: int) -> Page:
    """Returns the directory at `start`, as far as the file goes.

    Raises:
        ImageError: it has more values than any sound one.
        struct.error: there is none.
        OverflowError: as well.
    """
    (values,) = form.length.unpack_from(content, start)
    place = start + form.length.size
    body = memoryview(content)[place : place + min(values, _MOST_VALUES) * form.entry.size]
    behind = place + values * form.entry.size
    entries: dict[int, tuple[int, int, int]] = {}
    size, to_value = form.entry.size, form.entry.size - form.offset.size
    for tag, kind, count, _ in form.entry.iter_unpack(body[: len(body) // size * size]):
        if tag in entries and tag in _ONCE:
            raise ImageError(DAMAGED)
        entries[tag] = kind, count, place + to_value
        place += size
        # What would not fit into the file is passed over, and Pillow does not look at the lengths.
        if count == 1 or (
            count <= len(content)
            and tag not in (STRIP_BYTES, TILE_BYTES)
            and (kind not in _KEPT_AS_BYTES or tag in (STRIPS, TILES))
        ):
            values += count
    if values > _MOST_VALUES:
        raise ImageError(f"a TIFF of more than {_MOST_VALUES} strips, tiles and other values")
    following = form.offset.unpack_from(content, behind)[0] if behind + form.offset.size <= len(content) else 0
    return Page(content, form, start, entries, following, values)
