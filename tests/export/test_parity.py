import numpy as np
import pytest

from adexport.parity import ParityError, judge


def test_equal_scores_pass_with_their_figures() -> None:
    scores = np.array([[0.1, 0.2, 0.4]] * 4)
    scores[1, 2] *= 1 + 5e-6
    parity = judge(scores, threshold=0.3)
    assert (parity.images, parity.batch_sizes, parity.label_agreement) == (3, (1, 64), 1.0)
    assert parity.max_relative_difference == pytest.approx(5e-6, rel=1e-3)


def test_scores_further_apart_are_refused_with_their_figures() -> None:
    scores = np.array([[0.1, 0.2], [0.1, 0.2 * (1 + 2e-5)]])
    with pytest.raises(ParityError) as raised:
        judge(scores, threshold=0.3)
    assert "scores of 2 images differ by up to 2.0e-05 relative (1e-05 allowed) and 0 labels flip" in str(raised.value)


def test_a_label_that_flips_is_counted() -> None:
    scores = np.array([[0.1, 0.2], [0.1, 0.4]])
    with pytest.raises(ParityError, match="and 1 labels flip"):
        judge(scores, threshold=0.3)


def test_the_image_that_sets_the_threshold_agrees_within_the_tolerance() -> None:
    scores = np.array([[0.1, 0.3], [0.1, 0.3 * (1 + 2e-6)]])
    assert judge(scores, threshold=float(np.float32(0.3))).label_agreement == 1.0


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(ParityError):
        judge(np.array([[0.1], [np.nan]]), threshold=0.3)


def test_scores_of_zero_agree() -> None:
    assert judge(np.zeros((4, 2)), threshold=0.3).max_relative_difference == 0
