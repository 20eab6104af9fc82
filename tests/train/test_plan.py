from typing import Any

import pytest

from adscore.errors import InputError
from adtrain.plan import Shape, choose_shape, draft_settings
from adtrain.settings import Draft

pytestmark = pytest.mark.slow  # model.py, which knows the sizes that fit, loads Keras


@pytest.mark.parametrize(
    ("size", "tile", "fits"),
    [
        ((28, 28), 0, (28, 28)),
        ((64, 48), 0, (64, 48)),
        ((65, 30), 32, (64, 32)),
        ((70, 79), 32, (64, 64)),  # cut, although it is no larger then
        ((128, 128), 32, (128, 128)),
        ((256, 257), 32, (256, 256)),
        ((300, 300), 32, (256, 256)),
        ((4000, 1000), 32, (256, 64)),
        ((5000, 20), 32, (256, 32)),
    ],
)
def test_size_and_tile_follow_the_pictures(size: tuple[int, int], tile: int, fits: tuple[int, int]) -> None:
    assert choose_shape(*size, size=None, asked={}, recipe="auto") == (*fits, tile)


def test_the_user_and_the_tutorial_may_want_another_shape() -> None:
    def shape(width: int, height: int, *, size: tuple[int, int] | None = None, **asked: Any) -> Shape:
        return choose_shape(width, height, size=size, asked=asked, recipe="auto")

    assert shape(300, 301, tile=0) == (300, 300, 0)
    assert shape(28, 28, tile=16) == (32, 32, 16)
    assert shape(25, 30, filters=(4, 8, 16)) == (24, 32, 0)
    assert shape(60, 60, filters=(1,) * 7) == (128, 128, 0)  # is not cut for becoming larger
    assert shape(300, 300, size=(64, 32)) == (64, 32, 0)
    assert shape(28, 28, size=(96, 90)) == (96, 90, 32)  # which is refused, by the name of what fits
    assert choose_shape(300, 301, size=None, asked={}, recipe="tutorial") == (300, 300, 0)


def test_defaults_by_kind() -> None:
    whole, tiled = draft_settings(5448, 0, {}, "auto"), draft_settings(26, 32, {}, "auto")
    assert (whole.filters, whole.latent, whole.score, whole.views) == ((32, 64), None, "relative", 1)
    assert (tiled.filters, tiled.latent, tiled.score, tiled.views) == ((16, 32), 8, "deviation", 246)
    assert draft_settings(100_000, 32, {}, "auto").views == 1
    assert whole.robust
    assert (whole.repair, tiled.repair) == (None, True)  # with whole pictures the scout decides


@pytest.mark.parametrize(
    ("asked", "many", "repair", "latent", "blur"),
    [
        ({}, False, True, 16, 0.7),
        ({}, True, False, 8, 0.0),
        ({"repair": True}, True, True, 16, 0.7),
        ({"repair": False}, False, False, 8, 0.0),
        ({"latent": 5, "blur": 0.5}, True, False, 5, 0.5),
    ],
)
def test_what_the_scout_finds_chooses_the_rest(
    asked: dict[str, float], many: bool, repair: bool, latent: int, blur: float
) -> None:
    settled = draft_settings(100, 0, asked, "auto").settled("even", many=many)
    assert (settled.repair, settled.latent, settled.blur, settled.light) == (repair, latent, blur, "even")
    assert settled.scoring("mean").blur == blur


def test_what_is_asked_for_goes_before() -> None:
    asked = {"latent": 3, "repair": False, "score": None, "views": 1}
    draft = draft_settings(100, 0, asked, "auto")
    assert (draft.latent, draft.repair, draft.score, draft.views) == (3, False, "relative", 1)


def test_the_tutorial_is_what_it_was() -> None:
    assert draft_settings(5448, 0, {"seed": 7}, "tutorial") == Draft(
        filters=(32, 64), decoder="wide", latent=16, tile=0, light="as_is", repair=False,
        robust=False, score="mean", blur=0.0, start_at_mean=False, momentum=0.99,
        epochs=20, views=1, batch_size=32, learning_rate=1e-3, decay=5e-5, held_out=0.2, seed=7,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"tile": 9}, "--tile is 9 and must be 0"),
        ({"tile": 4}, "--tile is 4 and must be 0"),
        ({"views": 0}, "--views is 0 and must be greater than 0 and finite"),
        ({"blur": -1.0}, "--blur is -1 and must be finite and not negative"),
        ({"latent": 10**9}, "--latent is 1000000000 and must be at most 65536"),
        ({"filters": (32, 10**8)}, "--filters is 100000000 and must be at most 4096"),
        ({"batch_size": 10**9}, "--batch-size is 1000000000 and must be at most 65536"),
        ({"views": 10**9}, "--views is 1000000000 and must be at most 100000"),
    ],
)
def test_settings_that_make_no_sense_are_refused(asked: dict[str, int], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        draft_settings(100, asked.get("tile", 0), asked, "auto")
