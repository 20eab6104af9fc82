"""The self-test: pictures in the file whose scores show whether a device computes what the exporter computed.

They are parts of held-out pictures, mirrored to the size of the input, so that their scores go through every layer at
the range it works in: a fault in one layer is a different score. Files of formats 1 and 2 have a painted pattern.
"""

import base64
import binascii
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from adscore.errors import ModelError
from adscore.images import Pixels
from adscore.spec import LARGEST_SELFTEST, DetectorSpec, ImageSpec, Pattern, SelfTest

PATTERN = "(31 * row + 17 * column + 101 * channel) mod 256"

Score = Callable[[Pixels], NDArray[np.float32]]


def self_test(spec: DetectorSpec, score: Score) -> float:
    """Returns the largest difference of a self-test picture's score here from that in the file, over the larger.

    Args:
        spec: of the detector.
        score: the detector's `score`.

    Raises:
        ModelError: a picture in the file is damaged.
    """
    return max(
        (_difference(expected, float(score(picture[np.newaxis])[0])) for picture, expected in _pictures(spec)),
        default=0.0,
    )


def kept_part(picture: Pixels, image: ImageSpec, score: Score) -> SelfTest:
    """Returns the self-test of a picture's middle, and its score.

    Args:
        picture: uint8 (height, width, channels).
        image: its size and mode.
        score: the detector's `score`.
    """
    top, left = (max(0, side - LARGEST_SELFTEST) // 2 for side in picture.shape[:2])
    part = np.ascontiguousarray(picture[top : top + LARGEST_SELFTEST, left : left + LARGEST_SELFTEST])
    text = base64.b64encode(zlib.compress(part.tobytes(), 9)).decode("ascii")
    height, width, _ = part.shape
    test = SelfTest(width, height, text, 0.0)
    return SelfTest(width, height, text, float(score(picture_of(test, image)[np.newaxis])[0]))


def picture_of(test: SelfTest, image: ImageSpec) -> Pixels:
    """Returns the picture that is scored, uint8 (height, width, channels): the part, then mirrored, and again.

    Raises:
        ModelError: the part is damaged.
    """
    size = test.height * test.width * image.channels
    try:
        # No more than there has to be, whatever the text claims to hold.
        data = zlib.decompressobj().decompress(base64.b64decode(test.pixels, validate=True), size + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise ModelError(f"a self-test picture is damaged ({error}); export the detector again") from error
    if len(data) != size or test.height > image.height or test.width > image.width:
        raise ModelError("a self-test picture is of another size than it says; export the detector again")
    part = np.frombuffer(data, np.uint8).reshape(test.height, test.width, image.channels)
    below, right = image.height - test.height, image.width - test.width
    return np.pad(part, ((0, below), (0, right), (0, 0)), mode="symmetric")


def pattern(spec: ImageSpec) -> Pixels:
    """Returns the self-test picture of formats 1 and 2, uint8 of shape (height, width, channels)."""
    row, column, channel = np.indices(spec.shape)
    return np.asarray((31 * row + 17 * column + 101 * channel) % 256, dtype=np.uint8)


def _pictures(spec: DetectorSpec) -> Iterator[tuple[Pixels, float]]:
    if isinstance(spec.selftest, Pattern):
        yield pattern(spec.image), spec.selftest.score
    else:
        for test in spec.selftest:
            yield picture_of(test, spec.image), test.score


def _difference(expected: float, found: float) -> float:
    if not np.isfinite(found):
        return float("inf")
    return abs(expected - found) / max(abs(expected), abs(found), float(np.finfo(np.float32).tiny))
