from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from adexport.parity import ParityError, judge
from adexport.stages import Stages

Look = Callable[[NDArray[np.intp]], list[Stages]]


def always(reconstruction: float, difference: float, score: float) -> Look:
    return lambda places: [Stages(reconstruction, difference, score) for _ in places]


def nobody(places: NDArray[np.intp]) -> list[Stages]:
    raise AssertionError(f"{places} are close enough")


def test_equal_scores_pass_with_their_figures() -> None:
    scores = np.array([[0.1, 0.2, 0.4]] * 4)
    scores[1, 2] *= 1 + 5e-6
    parity = judge(scores, 0.3, nobody)
    assert (parity.images, parity.batch_sizes, parity.label_agreement) == (3, (1, 64), 1.0)
    assert parity.max_relative_difference == pytest.approx(5e-6, rel=1e-3)


@pytest.mark.parametrize(
    ("stages", "what", "step"),
    [
        (
            (2e-3, 1e-3, 0.0), "its reconstructions differ by up to 2.0e-03 of a full range of 1",
            "computes a layer of the network wrongly",
        ),
        (
            (1e-7, 2e-4, 0.0), "its reconstructions agree, and what is left of the picture differs by up to 2.0e-04",
            "computes light or blur wrongly",
        ),
        (
            (1e-7, 1e-7, 2e-5), "its maps agree, and what they are summed up to differs by 2.0e-05",
            "computes the sums of this --score wrongly",
        ),
    ],
)  # fmt: skip
def test_scores_further_apart_are_refused_with_the_image_and_what_differs(
    stages: tuple[float, float, float], what: str, step: str
) -> None:
    scores = np.array([[0.1, 0.2, 0.1], [0.1, 0.2 * (1 + 2e-5), 0.1 * (1 + 1e-5)]])
    with pytest.raises(ParityError) as raised:
        judge(scores, 0.3, always(*stages))
    message = str(raised.value)
    assert message.startswith(
        "the exported graph disagrees with the Keras model: held-out image 2 scores 0.2 by Keras and 0.200004 by ONNX "
        f"Runtime, where 1e-05 relative is allowed; {what} (1 of 3 held-out images differ, and 0 labels flip); nothing "
    )
    assert step in message


def test_a_label_that_flips_is_counted() -> None:
    scores = np.array([[0.1, 0.2], [0.1, 0.4]])
    with pytest.raises(ParityError, match="1 of 2 held-out images differ, and 1 labels flip"):
        judge(scores, 0.3, always(0.1, 0.1, 0.0))


def test_the_image_that_sets_the_threshold_agrees_within_the_tolerance() -> None:
    scores = np.array([[0.1, 0.3], [0.1, 0.3 * (1 + 2e-6)]])
    assert judge(scores, float(np.float32(0.3)), nobody).label_agreement == 1.0


def test_what_a_score_magnifies_is_judged_by_its_stages() -> None:
    scores = np.array([[0.1, 0.2], [0.1, 0.2 * (1 + 4e-5)]])
    parity = judge(scores, 0.2, always(2e-7, 1e-7, 1e-7))
    assert parity.max_relative_difference == pytest.approx(4e-5, rel=1e-3)  # as it is
    assert parity.label_agreement == 1.0


@pytest.mark.parametrize("stages", [(1e-7, np.nan, 1e-7), (1e-7, 1e-7, np.nan)])
def test_a_score_that_is_no_number_is_refused(stages: Any) -> None:
    with pytest.raises(ParityError, match="scores 0.1 by Keras and nan by ONNX Runtime"):
        judge(np.array([[0.1], [np.nan]]), 0.3, always(*stages))


def test_stages_of_several_batch_sizes_are_the_largest() -> None:
    assert Stages(1.0, 2.0, 3.0) | Stages(2.0, 1.0, 1.0) == Stages(2.0, 2.0, 3.0)
    assert np.isnan((Stages(1.0, 2.0, 3.0) | Stages(2.0, 1.0, np.nan)).score)


def test_scores_of_zero_agree() -> None:
    assert judge(np.zeros((4, 2)), 0.3, nobody).max_relative_difference == 0
