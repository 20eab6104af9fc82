"""Damaged files for `make test-faults`: pictures and detectors, cut, flipped, spliced and renamed by a seed."""

import os
import random
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

# What a picture is saved as besides what it was, so that each decoder gets its share.
_KINDS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("RGB", "JPEG", {}), ("L", "JPEG", {"progressive": True}), ("CMYK", "JPEG", {}), ("RGB", "WEBP", {}),
    ("RGBA", "WEBP", {"lossless": True}), ("P", "GIF", {}), ("RGB", "BMP", {}), ("L", "PPM", {}),
    ("RGB", "TIFF", {"compression": "tiff_lzw"}), ("L", "TIFF", {"compression": "tiff_adobe_deflate"}),
    ("1", "TIFF", {"compression": "group4"}), ("RGB", "TIFF", {"compression": "jpeg"}), ("RGB", "TIFF", {}),
)  # fmt: skip
_SUFFIXES = (".png", ".jpg", ".tif", ".webp", ".gif", ".bmp", ".ppm")
# So many pictures are saved as each kind.
_OF_EACH = 12
# Not UTF-8, a line break, a formula, a quote and a comma: names are damaged too.
_ODD = (b"\xff", b"\n", b"=1+1", b'"', b",", "😀".encode())


def sound_pictures(pictures: Sequence[Path]) -> list[bytes]:
    """Returns the files' contents, and some of them saved in every other format."""
    contents = [path.read_bytes() for path in pictures]
    for place, (mode, kind, options) in enumerate(_KINDS):
        for path in pictures[place :: max(1, len(pictures) // _OF_EACH)]:
            buffer = BytesIO()
            with Image.open(path) as image:
                small = image.convert("RGB").resize((48, 40))
            small.convert(mode).save(buffer, kind, **options)
            contents.append(buffer.getvalue())
    return contents


def write_mutated(folder: Path, sound: Sequence[bytes], count: int, seed: int) -> None:
    """Writes `count` damaged copies of `sound` into a folder, under suffixes and names that tell nothing."""
    folder.mkdir(parents=True)
    chance = random.Random(seed)  # noqa: S311 - repeatable, which is the point
    for index, content in enumerate(mutated(sound, count, chance)):
        odd = chance.choice(_ODD) if chance.random() < 0.05 else b""
        name = odd + f"{index:05}{chance.choice(_SUFFIXES)}".encode()
        (folder / os.fsdecode(name)).write_bytes(content)


def mutated(sound: Sequence[bytes], count: int, chance: random.Random) -> Iterator[bytes]:
    """Yields `count` contents, each one of `sound` after one or two edits."""
    for _ in range(count):
        content = bytearray(chance.choice(sound))
        for _ in range(chance.randint(1, 2)):
            _edit(content, sound, chance)
        yield bytes(content)


def _edit(content: bytearray, sound: Sequence[bytes], chance: random.Random) -> None:
    # Half of the edits near an end, where most formats keep what they are.
    reach = chance.choice((min(200, len(content)), len(content)))
    start = chance.randrange(reach + 1)
    if chance.random() < 0.25:
        start = len(content) - start
    end = min(len(content), start + chance.choice((1, 4, 16, 200)))
    match chance.choice(("cut", "flip", "flip", "flip", "write", "double", "remove", "splice")):
        case "cut":
            del content[end:]
        case "flip":
            for place in range(start, min(end, start + 1 + chance.randrange(4))):
                content[place] ^= 1 << chance.randrange(8)
        case "write":
            content[start:end] = chance.randbytes(end - start)
        case "double":
            content[start:start] = content[start:end]
        case "remove":
            del content[start:end]
        case "splice":
            other = chance.choice(sound)
            content[start:] = other[chance.randrange(len(other)) :]
