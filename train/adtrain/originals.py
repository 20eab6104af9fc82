"""What the images to train on are, before they are brought to one size and depth: from their headers, all together."""

from collections.abc import Sequence
from dataclasses import dataclass

from adscore.depth import DepthError
from adscore.errors import ImageError, InputError
from adscore.images import read_header, read_largest
from adscore.inputs import ImageFile
from adscore.original import Original, pictures_of
from adscore.spec import BITS, Mode, Pictures

# Of 16: what cameras write; 8 for pictures that were only saved in 16.
_CAMERAS_BITS = (8, 10, 12, 14, 16)
MOST_BITS = BITS[1]


@dataclass(frozen=True)
class Originals:
    """What so many files are."""

    width: int  # the median
    height: int  # the median
    mode: Mode  # colour if one has it
    bits: int  # as given, or the fewest that cameras use and that hold every 16-bit sample; all 16 if there is none
    pictures: Pictures


def originals_of(data: str, files: Sequence[ImageFile], *, bits: int | None) -> Originals:
    """Returns what the files are that can be read; those of 16 bits are decoded, since only pixels show their bits.

    Args:
        data: what to call them all in a message.
        files: image files.
        bits: how many of 16 they use, if that is known.

    Raises:
        InputError: none can be read, or one cannot be read to the bit where the bits have to be known.
    """
    found: list[Original] = []
    for file in files:
        try:
            original = read_header(file.location)
            if original.depth > 8:
                original = original._replace(largest=read_largest(file.location))
        except DepthError as error:
            if bits != MOST_BITS:
                raise InputError(f"{file.name}: {error}, or give --bits {MOST_BITS} if it uses them") from error
        except ImageError:
            continue  # the survey will name it
        found.append(original)
    if not found:
        raise InputError(f"{data}: none of the {len(files)} images can be read; give a folder of images")
    pictures, middle = pictures_of(found), len(found) // 2
    return Originals(
        sorted(original.width for original in found)[middle],
        sorted(original.height for original in found)[middle],
        "RGB" if "RGB" in pictures.modes else "L",
        bits or _bits_that_hold(pictures.largest_sample),
        pictures,
    )


def in_bits(pictures: Pictures, bits: int) -> str:
    """Returns how 16-bit images are read, in a clause; nothing where there are none."""
    largest = pictures.largest_sample
    if largest is None:
        return ""
    beyond = f" and is cut off at {(1 << bits) - 1}" if largest >> bits else ""
    return f", 16-bit images read as {bits} bits (their largest value is {largest}{beyond}; --bits sets others)"


def _bits_that_hold(largest: int | None) -> int:
    if largest is None:
        return MOST_BITS
    return next(bits for bits in _CAMERAS_BITS if largest < 1 << bits)
