import numpy as np
import pytest

from adscore.calibration import conformal_threshold, is_anomaly, p_values, smallest_rate
from adscore.errors import CalibrationError
from adscore.spec import Reference
from tests.tiny import REFERENCE


def reference(*scores: float) -> Reference:
    return Reference(len(scores), tuple(range(1, len(scores) + 1)), scores)


@pytest.mark.parametrize(
    ("fpr", "rank"),
    # ceil((n + 1)(1 - fpr)) with n = 99; 0.29 x 100 is 28.999999999999996 in binary
    [(0.01, 99), (0.015, 99), (0.02, 98), (0.29, 71), (0.5, 50), (0.99, 1)],
)
def test_threshold_is_the_conformal_rank(fpr: float, rank: int) -> None:
    assert conformal_threshold(REFERENCE, fpr) == REFERENCE.scores[rank - 1]


@pytest.mark.parametrize("fpr", [0.01, 0.02, 0.05, 0.29, 0.5])
def test_a_score_is_above_the_threshold_exactly_if_its_p_value_is_at_most_the_rate(fpr: float) -> None:
    scores = np.linspace(0, 0.6, 1201, dtype=np.float32)
    labels = is_anomaly(scores, conformal_threshold(REFERENCE, fpr))
    assert labels.any()
    assert not labels.all()
    assert (labels == (p_values(scores, REFERENCE) <= fpr + 1e-12)).all()


def test_too_few_images_say_how_many_it_takes() -> None:
    with pytest.raises(CalibrationError) as raised:
        conformal_threshold(reference(0.1, 0.2, 0.3), 0.01)
    assert str(raised.value) == (
        "a false-alarm rate of 0.01 takes at least 99 held-out images (n >= 1/fpr - 1) and there are 3; "
        "ask for 0.25 or more, or hold out more images"
    )


@pytest.mark.parametrize("images", [0, 1, 3, 6, 34, 99, 999, 1361])
def test_the_smallest_rate_named_is_one_that_works(images: int) -> None:
    scores = tuple(float(rank) for rank in range(images))
    if images:
        conformal_threshold(reference(*scores), float(smallest_rate(images)))
    assert float(smallest_rate(images)) == pytest.approx(1 / (images + 1), rel=0.01)


def test_p_values_by_hand() -> None:
    scores = [0.05, 0.1, 0.15, 0.3, 0.31]
    assert p_values(scores, reference(0.1, 0.2, 0.3)).tolist() == [1, 1, 0.75, 0.5, 0.25]


def test_without_reference_every_p_value_is_one() -> None:
    assert p_values([0.0, 9.0], reference()).tolist() == [1, 1]


def test_tied_reference_scores_all_count() -> None:
    assert p_values([0.2], reference(0.2, 0.2, 0.2)).tolist() == [1.0]


def test_decisions_are_made_in_float32() -> None:
    threshold = 0.1  # not a float32; its nearest float32 is larger
    assert not is_anomaly(np.float32(0.1), threshold)
    assert is_anomaly(np.nextafter(np.float32(0.1), np.float32(1)), threshold)
