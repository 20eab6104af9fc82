"""What stands out: by scores alone, and in a real training on a polluted set."""

import numpy as np
import pytest

from adtrain.robust import keep, look_after, scout_settings, within
from adtrain.settings import Draft

RANDOM = np.random.default_rng(0)
NORMAL = np.exp(RANDOM.normal(0, 0.3, 900)).astype(np.float32)


def test_what_lies_far_above_stands_out_and_nothing_below() -> None:
    scores = np.concatenate([NORMAL, np.array([8, 9, 10, 0.001, 0.0], np.float32)])
    inside = within(scores, 5.0)
    assert inside[:900].all()
    assert inside[900:].tolist() == [False, False, False, True, True]


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.15])
def test_the_limit_hardly_moves_with_the_number_of_anomalies(share: float) -> None:
    anomalies = np.full(int(900 * share), 12, np.float32)
    inside = within(np.concatenate([NORMAL, anomalies]), 5.0)
    assert inside[:900].all()
    assert not inside[900:].any()


def test_few_images_are_all_kept() -> None:
    assert within(np.array([1, 1, 1, 1, 1000], np.float32), 3.0).all()


def test_few_that_are_learnt_from_bring_nothing_back() -> None:
    scores = np.concatenate([np.ones(19), np.full(4, 50)]).astype(np.float32)
    assert keep(scores, scores < 2, 6.0).tolist() == (scores < 2).tolist()


def test_equal_scores_are_all_kept() -> None:
    nearly = np.full(50, 0.25, np.float32)
    nearly[:5] *= 1.001
    assert within(nearly, 3.0).all()
    assert within(np.full(50, 0.25, np.float32), 3.0).all()
    assert within(np.zeros(50, np.float32), 3.0).all()


def test_the_limit_follows_the_images_that_are_learnt_from() -> None:
    # Two in five are far away: among all they are the spread, beside the others they stand out.
    far = np.full(600, 4, np.float32)
    scores, learnt = np.concatenate([NORMAL, far]), np.arange(1500) < 900
    assert within(scores, 5.0).all()
    assert within(scores, 5.0, learnt).tolist() == learnt.tolist()


def test_coming_back_takes_more_than_staying() -> None:
    # In units of `within` the three images lie at about 3.3, 7.3 and 10.
    scores = np.concatenate([NORMAL, np.array([2.3, 6.3, 13], np.float32)])
    was_kept = np.ones(len(scores), bool)
    assert keep(scores, was_kept, 6.0)[900:].tolist() == [True, True, False]
    was_kept[900:] = False
    assert keep(scores, was_kept, 6.0)[900:].tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("epochs", "after"), [(1, []), (2, [1]), (3, [1, 2]), (10, [2, 4, 6, 8]), (200, [40, 80, 120, 160])]
)
def test_looks_lie_within_the_training(epochs: int, after: list[int]) -> None:
    assert list(look_after(epochs)) == after


def test_the_scout_is_smaller_and_copies_nothing_else() -> None:
    scout = scout_settings(Draft(filters=(32, 64), epochs=10), "as_is")
    assert (scout.filters, scout.latent, scout.epochs, scout.repair, scout.trim) == ((16, 32), 4, 2, False, 0.15)
    tiled = scout_settings(Draft(filters=(1,), latent=2, epochs=1, tile=32), "even")
    assert (tiled.filters, tiled.latent, tiled.epochs, tiled.tile, tiled.trim) == ((1,), 2, 1, 32, 0.0)


@pytest.mark.slow
def test_anomalies_in_a_polluted_set_are_left_out_and_found() -> None:
    from adtrain.quiet import import_tensorflow

    import_tensorflow()
    from adscore.spec import ImageSpec
    from adtrain.plan import draft_settings
    from adtrain.source import ArraySource
    from adtrain.training import train

    random = np.random.default_rng(1)
    images = random.integers(0, 30, (640, 16, 16), dtype=np.uint8)
    for image in images[:600]:
        column = int(random.integers(2, 12))
        image[:, column : column + 3] = 220
    for image in images[600:]:  # one in sixteen: bars that lie
        row = int(random.integers(2, 12))
        image[row : row + 3] = 220
    source = ArraySource(images, ImageSpec(16, 16, "L"))
    everything = np.arange(len(images))
    asked = {"views": 6}
    trained = train(source, everything, everything[:64], draft_settings(len(images), 0, asked, "auto"), "as_is")
    lying = set(range(600, 640))
    assert len(set(trained.left_out.tolist()) & lying) >= 36
    assert len(set(trained.left_out.tolist()) - lying) <= 12
    untouched = asked | {"robust": False, "epochs": 1}
    plain = train(source, everything, everything[:64], draft_settings(len(images), 0, untouched, "auto"), "as_is")
    assert len(plain.left_out) == 0
