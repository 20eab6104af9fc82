"""How a reconstruction becomes a score: the words for it, and the constants that the graph takes from normal images."""

from dataclasses import dataclass
from typing import Literal, get_args

Reduction = Literal["mean", "top", "max", "normalized", "relative", "deviation"]
Light = Literal["as_is", "even"]
REDUCTIONS: tuple[Reduction, ...] = get_args(Reduction)


@dataclass(frozen=True)
class Typical:
    """What images that are (mostly) normal show after training; constants of the graph."""

    contrast: float  # variance of the pixels of a tile, mean over tiles; 0..1
    statistics: tuple[float, ...]  # median over images of each of `adexport.reduction.statistics`
    error: tuple[tuple[float, ...], ...]  # mean of the anomaly map over images, on a coarse grid (rows, columns)


@dataclass(frozen=True)
class Scoring:
    """From reconstruction to score; `adexport.reduction` defines each reduction."""

    reduction: Reduction = "mean"
    blur: float = 0.0  # standard deviation, in pixels, of the Gaussian over the difference before it is squared
    tile: int = 0  # side of the tiles that the autoencoder takes, in pixels; 0: it takes the whole picture
    typical: Typical | None = None  # "normalized", "relative" and "deviation" need it
    light: Light = "as_is"  # "even": each picture is brought under even light first, see `adexport.light`

    def __post_init__(self) -> None:
        if self.typical is None and self.reduction in ("normalized", "relative", "deviation"):
            raise ValueError(f"the reduction {self.reduction} needs what is typical of normal images")
