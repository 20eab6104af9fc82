"""How a picture is brought to the detector's size: the README's words in numpy, and bytes no version may change."""

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from adscore.errors import ImageError
from adscore.images import prepare
from adscore.spec import ImageSpec, Mode

ONE = 1 << 22  # weights are fixed-point numbers of 22 bits


def painted(width: int, height: int, mode: Mode) -> NDArray[np.uint8]:
    """Returns a picture with edges and slopes that any language can paint."""
    rows, columns, channels = np.ogrid[:height, :width, : 3 if mode == "RGB" else 1]
    values: NDArray[np.int64] = (rows * 7 + columns * 11 + rows * columns // 5 + channels * 83) % 256
    values = np.where((rows // 9 + columns // 13) % 3 == 0, 255 - values // 8, values)
    pixels: NDArray[np.uint8] = values.astype(np.uint8)
    return pixels[..., 0] if mode == "L" else pixels


def as_written(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Returns the picture with `size` rows, each step as the README words it; (rows, ...) of any shape."""
    scale = len(pixels) / size
    support = max(scale, 1.0)
    result = np.empty((size, *pixels.shape[1:]), np.uint8)
    for place in range(size):
        centre = (place + 0.5) * scale
        first, end = max(int(centre - support + 0.5), 0), min(int(centre + support + 0.5), len(pixels))
        weights = [max(0.0, 1 - abs((row + 0.5 - centre) / support)) for row in range(first, end)]
        total = sum(weights)
        fixed = np.array([int(0.5 + weight / total * ONE) for weight in weights], np.int64)
        sums = ONE // 2 + np.tensordot(fixed, pixels[first:end].astype(np.int64), 1)
        result[place] = np.clip(sums >> 22, 0, 255)
    return result


SIZES = [
    ((300, 789), (192, 256)),  # Pillow 13 by itself goes down first
    ((250, 1000), (64, 256)),
    ((789, 300), (256, 192)),
    ((40, 30), (28, 28)),
    ((28, 99), (28, 28)),  # across nothing is to be done
    ((17, 61), (64, 32)),
    ((13, 11), (28, 32)),
    ((1, 700), (3, 5)),
]


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(("own", "size"), SIZES)
def test_resizing_is_what_the_readme_says(own: tuple[int, int], size: tuple[int, int], mode: Mode) -> None:
    pixels = painted(*own, mode)
    across = as_written(pixels.swapaxes(0, 1), size[0]).swapaxes(0, 1)
    expected = as_written(across, size[1])
    spec = ImageSpec(*size, mode)
    found = prepare(Image.fromarray(pixels), spec)
    np.testing.assert_array_equal(found, expected.reshape(spec.shape))
    # The word of older files is the same rule.
    np.testing.assert_array_equal(prepare(Image.fromarray(pixels), replace(spec, resample="bilinear")), found)


@pytest.mark.parametrize(
    ("own", "size", "mode", "digest"),
    [
        ((300, 789), (192, 256), "L", "0d79306ef14dd5d668dfbbc95af6b381e8560135ef886354faae11dbd1017508"),
        ((300, 789), (192, 256), "RGB", "c5224ec2b8a8a9a990a991abe8c910969b3e9f8986f1688730d86c8d0eec8ddf"),
        ((250, 1000), (64, 256), "L", "87cb635406c94c7a979bf4741ea1f150ea7e37a35c690057d1910eadb4fa8cf5"),
        ((250, 1000), (64, 256), "RGB", "a6ecf075761ed59ce02d88d386816c397a4be650c213a33baf5c5823e5473d6d"),
        ((789, 300), (256, 192), "L", "3f801df2f4d13189c234894934534fd1a5c4aa72a19761189e19802c8cff53d5"),
        ((789, 300), (256, 192), "RGB", "9b156a3807f2506ebbc19ce3704849adf1fae9775ff7ee63e39f79e98fa35b13"),
        ((17, 61), (64, 32), "L", "abbc29404ff5a66af1f303977322d004a76048e73cae025bfed8e04549c453fb"),
        ((17, 61), (64, 32), "RGB", "ec635715f7b2a74802872e440ba79b21862564a39456760c1f4e8524665635f6"),
    ],
)
def test_resized_pictures_have_the_bytes_they_always_had(
    own: tuple[int, int], size: tuple[int, int], mode: Mode, digest: str
) -> None:
    resized = prepare(Image.fromarray(painted(*own, mode)), ImageSpec(*size, mode))
    assert sha256(resized.tobytes()).hexdigest() == digest


def test_a_picture_that_grows_beyond_all_measure_on_the_way_is_refused() -> None:
    with pytest.raises(ImageError, match="1x1000000 pixels at the detector's width of 256 are more than the 134217728"):
        prepare(Image.new("L", (1, 1_000_000)), ImageSpec(256, 256, "L"))
