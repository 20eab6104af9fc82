from typing import Any

import numpy as np

from adtrain.repair import damage


def test_damage_is_noise_and_one_rectangle() -> None:
    images = np.full((200, 20, 30, 1), 0.5, np.float32)
    images[100:] = 0.25
    damaged = damage(images, np.random.default_rng(0))
    assert damaged.shape == images.shape
    assert damaged.dtype == np.float32
    changed = np.abs(damaged - images)
    # The strength of the noise differs from image to image: none in some, up to half of the range in others.
    spread = np.median(changed, axis=(1, 2, 3))
    assert spread.min() < 0.05
    assert 0.2 < spread.max() < 0.5
    assert (images[:100] == 0.5).all()  # the target is left alone


def test_rectangles_hold_another_image_or_one_colour() -> None:
    dark = np.zeros((400, 16, 16, 3), np.float32)
    dark[::2] = 0.9
    quiet = damage(dark, _Quiet(np.random.PCG64(1)))
    inside = np.abs(quiet - dark).sum(axis=3) > 1e-6
    area = inside.mean(axis=(1, 2))
    assert 0.3 < (area > 0).mean() < 1  # some rectangles hold the same grey
    assert area.max() < 0.8**2 + 0.1
    rows, columns = np.nonzero(inside[int(np.argmax(area))])
    assert inside[int(np.argmax(area))].sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


def test_the_same_draw_gives_the_same_damage() -> None:
    images = np.random.default_rng(0).random((8, 12, 12, 1), np.float32)
    first, again, other = (damage(images, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


class _Quiet(np.random.Generator):
    """Draws no noise, so that what is left is the rectangle."""

    def standard_normal(self, size: tuple[int, ...], dtype: type) -> Any:  # type: ignore[override]
        return np.zeros(size, dtype)
