"""The self-test: pictures that travel in the file, and what their scores say of a device."""

from dataclasses import replace

import numpy as np
import pytest

from adscore import Detector
from adscore.errors import ModelError
from adscore.images import Pixels
from adscore.info import describe
from adscore.selftest import PATTERN, kept_part, pattern, picture_of, self_test
from adscore.spec import ImageSpec, Pattern, SelfTest
from tests.tiny import tiny_detector, tiny_spec

SMALL = ImageSpec(4, 4, "L")


def noise(image: ImageSpec) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, image.shape, np.uint8)


def mean(pictures: Pixels) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.asarray(pictures.mean(axis=(1, 2, 3)), np.float32)


@pytest.mark.parametrize("image", [ImageSpec(28, 28, "L"), ImageSpec(64, 32, "RGB")])
def test_a_small_picture_is_kept_whole(image: ImageSpec) -> None:
    picture = noise(image)
    test = kept_part(picture, image, mean)
    assert np.array_equal(picture_of(test, image), picture)
    assert test.score == np.float32(picture.mean())


def test_of_a_large_picture_the_middle_is_kept_and_mirrored() -> None:
    image = ImageSpec(200, 70, "RGB")
    picture = noise(image)
    test = kept_part(picture, image, mean)
    assert (test.width, test.height) == (64, 64)
    assert len(test.pixels) < 20_000
    whole = picture_of(test, image)
    assert whole.shape == image.shape
    part = picture[3:67, 68:132]
    for row, column in ((0, 0), (63, 63), (64, 64), (69, 127), (5, 128), (69, 199)):
        # Back and forth: a place beyond the part is as far inside of it.
        down, across = (place % 128 if place % 128 < 64 else 127 - place % 128 for place in (row, column))
        assert np.array_equal(whole[row, column], part[down, across])
    assert test.score == np.float32(whole.mean())


def test_the_scores_of_a_sound_device_are_those_of_the_file() -> None:
    detector = Detector(tiny_detector())
    assert self_test(detector.spec, detector.score) <= 1e-6


def test_another_score_is_seen() -> None:
    detector = Detector(tiny_detector())
    (test,) = detector.spec.selftest if isinstance(detector.spec.selftest, tuple) else ()
    spec = replace(detector.spec, selftest=(test, replace(test, score=test.score * 1.01)))
    assert self_test(spec, detector.score) == pytest.approx(0.01 / 1.01, rel=1e-3)


def test_a_score_that_is_no_number_is_seen() -> None:
    assert self_test(tiny_spec(), lambda pictures: np.full(len(pictures), np.nan, np.float32)) == np.inf


def test_formats_1_and_2_have_a_pattern() -> None:
    painted = Pattern(PATTERN, float(mean(pattern(SMALL)[np.newaxis])[0]))
    spec = replace(tiny_spec(), selftest=painted, format_version=2)
    assert self_test(spec, mean) == 0
    assert "self-test  (31 * row + 17 * column + 101 * channel) mod 256 scores" in describe(spec)


@pytest.mark.parametrize(
    ("test", "fault"),
    [
        (SelfTest(2, 2, "no base64", 0.5), "a self-test picture is damaged"),
        (SelfTest(2, 2, "AAAA", 0.5), "a self-test picture is damaged"),
        (replace(kept_part(noise(SMALL), SMALL, mean), width=2), "a self-test picture is of another size than it says"),
        (kept_part(noise(ImageSpec(4, 8, "L")), ImageSpec(4, 8, "L"), mean), "a self-test picture is of another size"),
    ],
)  # fmt: skip
def test_damaged_pictures_are_refused(test: SelfTest, fault: str) -> None:
    with pytest.raises(ModelError, match=fault):
        self_test(replace(tiny_spec(), selftest=(test,)), mean)


def test_info_tells_of_the_pictures() -> None:
    assert "self-test  pictures in the file: 1, which score 0.0399999991" in describe(tiny_spec())
