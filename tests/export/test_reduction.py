"""From difference to map to score: each reduction on maps whose score can be told in advance."""

from typing import Any

import numpy as np
import pytest

from adexport.scoring import REDUCTIONS, Scoring, Typical
from adtrain.quiet import import_tensorflow

pytestmark = pytest.mark.slow

TYPICAL = Typical(contrast=0.5, statistics=(0.1, 0.2, 0.4, 0.1, 0.4), error=((0.1,),))


def reduced(error: Any, contrast: float, scoring: Scoring) -> tuple[Any, float]:
    import_tensorflow()
    import tensorflow as tf

    from adexport.reduction import reduce

    contrasts = tf.fill((1, 1, 1), np.float32(contrast))
    anomaly_map, score = reduce(tf.constant(error[np.newaxis].astype(np.float32)), contrasts, scoring)
    return anomaly_map.numpy()[0], float(score.numpy()[0])


def spot(value: float) -> Any:
    error = np.full((20, 20), 0.1)
    error[3:5, 3:5] = value  # 4 of 400 pixels: the top hundredth
    return error


@pytest.mark.parametrize(
    ("scoring", "expected"),
    [
        (Scoring("mean"), 0.1 + 0.01 * 0.9),
        (Scoring("top"), 1.0),
        (Scoring("max"), 1.0),
        # A flat typical error of 0.1, and 0.3 of its mean on top of it.
        (Scoring("normalized", typical=TYPICAL), 1.0 / 0.13),
        # The picture's own contrast of 0.7 and the typical one of 0.5 beside it.
        (Scoring("relative", typical=TYPICAL), 0.109 / 1.2),
    ],
)
def test_reductions_of_one_spot(scoring: Scoring, expected: float) -> None:
    _, score = reduced(spot(1.0), 0.7, scoring)
    assert score == pytest.approx(expected, rel=1e-5)


def test_deviation_is_how_many_times_the_most_unusual_statistic_is_off() -> None:
    # mean 0.1, top and maximum 0.1 of 0.2 and 0.4; relative mean and maximum 0.1 / 1.0 of 0.1 and 0.4
    scoring = Scoring("deviation", typical=TYPICAL)
    assert reduced(np.full((20, 20), 0.1), 0.5, scoring)[1] == pytest.approx(4.0, rel=1e-5)
    # A spot that brings the maximum to 0.4 and the top to 0.4: twice its 0.2, and everything else is as it should be.
    assert reduced(spot(0.4), 0.5, scoring)[1] == pytest.approx(2.0, rel=1e-5)


def test_too_little_error_is_unusual_as_well() -> None:
    scoring = Scoring("deviation", typical=TYPICAL)
    # Less than the rounding of a pixel to whole greys is not told from it.
    noise = (1 / 255) ** 2 / 12
    for error in (0.001, 0.0):
        found = reduced(np.full((20, 20), error), 0.5, scoring)[1]
        assert found == pytest.approx((0.4 + noise) / (error + noise), rel=1e-4)


@pytest.mark.parametrize("reduction", ["normalized", "relative", "deviation"])
def test_pictures_without_contrast_or_error_are_divided_by_more_than_rounding(reduction: Any) -> None:
    # What is typical of pictures of one grey that are reconstructed to the last digit is float32's own rounding.
    error = np.full((20, 20), 1e-9)
    scores = [
        reduced(error, contrast, Scoring(reduction, typical=Typical(1e-15, (1e-15,) * 5, ((1e-15,),))))[1]
        for contrast in (0.0, 1e-14)
    ]
    assert scores[0] == pytest.approx(scores[1], rel=1e-7)
    assert scores[0] < 1.01


@pytest.mark.parametrize("reduction", ["normalized", "relative", "deviation"])
def test_what_is_typical_must_be_known(reduction: Any) -> None:
    assert reduction in REDUCTIONS
    with pytest.raises(ValueError, match=f"the reduction {reduction} needs what is typical"):
        Scoring(reduction)


def test_blur_cancels_a_displaced_edge_and_keeps_a_missing_piece() -> None:
    import_tensorflow()
    import tensorflow as tf

    from adexport.reduction import squared_difference

    image = np.zeros((2, 16, 16, 1), np.float32)
    reconstruction = image.copy()
    image[0, :, 8:10], reconstruction[0, :, 9:11] = 1, 1  # a bar, one pixel aside: +1 beside -1
    image[1, :, 8:10] = 1  # a bar that is missing: two columns of +1
    sharp, blurred = (
        squared_difference(tf.constant(image), tf.constant(reconstruction), blur).numpy().mean(axis=(1, 2))
        for blur in (0.0, 2.0)
    )
    assert sharp[0] == pytest.approx(sharp[1])
    assert blurred[0] < 0.2 * blurred[1]
    flat = np.full((1, 8, 8, 3), 0.3, np.float32)
    same = squared_difference(tf.constant(flat), tf.zeros((1, 8, 8, 3)), 1.0).numpy()
    assert same == pytest.approx(np.full((1, 8, 8), 0.09), rel=1e-5)  # the border is mirrored, not darkened
