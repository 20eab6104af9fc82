"""What `adtrain fit` chooses where the user says nothing: from the size of the pictures and their number alone.

Small pictures are taken whole; larger ones are cut into tiles, because a network that squeezes a whole picture into a
few numbers loses the details in which parts fail, and because each picture then gives hundreds of tiles to learn from.
What depends on what the pictures show is left open: `adtrain.light` and the scout choose it.
"""

from typing import Any, NamedTuple

from adtrain.model import halvings, nearest_multiple
from adtrain.settings import Draft, Recipe

# Pictures up to this side are taken whole.
WHOLE_SIDE = 64
# Larger pictures are reduced to this side, and cut into tiles of this.
LARGEST_SIDE = 256
TILE = 32
# An epoch takes about so many images at least; where there are fewer, each is visited several times.
WHOLE_AN_EPOCH = 4_000
TILES_AN_EPOCH = 6_400

_WHOLE: dict[str, Any] = {"filters": (32, 64), "score": "relative"}
_TILED: dict[str, Any] = {"filters": (16, 32), "latent": 8, "repair": True, "score": "deviation", "blur": 1.0}
# The design that the project grew from.
_TUTORIAL: dict[str, Any] = {
    "decoder": "wide", "latent": 16, "light": "as_is", "repair": False, "blur": 0.0, "robust": False,
    "start_at_mean": False, "momentum": 0.99, "epochs": 20, "batch_size": 32, "learning_rate": 1e-3,
}  # fmt: skip


class Shape(NamedTuple):
    """What pictures are brought to, and cut into."""

    width: int  # pixels
    height: int  # pixels
    tile: int  # side of the tiles; 0 for whole pictures


def choose_shape(
    width: int, height: int, *, size: tuple[int, int] | None, asked: dict[str, Any], recipe: Recipe
) -> Shape:
    """Returns the shape to train at: the nearest that fits, reduced where large.

    Both are decided together: pictures that are large enough to be cut may be small enough not to be, once they are
    brought to a multiple of the tile.

    Args:
        width: of the pictures as they are.
        height: of the pictures as they are.
        size: (width, height) that the user wants instead.
        asked: settings by name; None where the user said nothing.
        recipe: as in `draft_settings`.
    """
    tile = asked.get("tile")
    if tile is None:
        tile = TILE if recipe == "auto" and max(size or (width, height)) > WHOLE_SIDE else 0
    if size:
        return Shape(*size, tile)
    unit = tile or halvings(asked.get("filters") or _WHOLE["filters"])
    reduction = min(1.0, LARGEST_SIDE / max(width, height)) if tile else 1.0
    return Shape(nearest_multiple(width * reduction, unit), nearest_multiple(height * reduction, unit), tile)


def draft_settings(images: int, tile: int, asked: dict[str, Any], recipe: Recipe) -> Draft:
    """Returns what was asked for, and of the rest what fits the data; what the pictures show decides what is open.

    Args:
        images: number of images there are.
        tile: as `choose_shape` returns it.
        asked: settings by name; None where the user said nothing.
        recipe: "auto", or "tutorial": the design that the project grew from.
    """
    given = {name: value for name, value in asked.items() if value is not None} | {"tile": tile}
    if recipe == "tutorial":
        design = _TUTORIAL | given
        # No epochs at all are refused by the settings, a line below.
        return Draft(**({"decay": design["learning_rate"] / max(1, design["epochs"])} | design))
    few = {"views": max(1, round((TILES_AN_EPOCH if tile else WHOLE_AN_EPOCH) / images))}
    return Draft(**((_TILED if tile else _WHOLE) | few | given))
