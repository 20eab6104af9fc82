"""All that repeats a training, in two types: what the pictures are still to decide, and what is settled.

Only settled settings say how a detector scores, so nothing can score by a value that is decided later.
"""

import math
from dataclasses import dataclass, fields
from typing import Literal

from adexport.scoring import Light, Reduction, Scoring, Typical
from adscore.errors import InputError

Recipe = Literal["auto", "tutorial"]
Decoder = Literal["narrow", "wide"]

MIN_TILE = 8

# What a picture is squeezed into; damage keeps a longer vector from copying what it is given.
LATENT = 16
LATENT_WITHOUT_REPAIR = 8

# A network that repairs puts edges where they usually are, half a pixel aside; one that does not follows them closely,
# and a blur would only hide what it could not follow.
BLUR = 0.7
BLUR_WITHOUT_REPAIR = 0.0

# Far above what any network needs; what lies beyond takes more memory than TensorFlow can say it lacks.
MOST = {"--latent": 65_536, "--filters": 4_096, "--batch-size": 65_536, "--views": 100_000}


@dataclass(frozen=True, kw_only=True)
class Dials:
    """The dials of `adtrain fit` that no picture decides."""

    filters: tuple[int, ...] = (32, 64)
    decoder: Decoder = "narrow"  # "wide": as many filters as the encoder; "narrow": half of them
    tile: int = 0  # side of the tiles the network takes, in pixels; 0: it takes whole pictures
    robust: bool = True  # leave out, as training goes on, what stands out from the rest
    score: Reduction = "mean"
    epochs: int = 12
    views: int = 1  # how often an epoch visits each image, each time another tile or damage
    batch_size: int = 64
    learning_rate: float = 1.5e-3
    decay: float | None = None  # rate = learning_rate / (1 + decay x steps); None: half a cosine down to nothing
    start_at_mean: bool = True  # the untrained network answers with the images' mean brightness
    momentum: float = 0.9  # of the running statistics in batch normalisation
    trim: float = 0.0  # share of each batch, that of the largest errors, that is not learnt from
    held_out: float = 0.2  # share of the images that training never sees
    seed: int = 42

    def __post_init__(self) -> None:
        _check_counts(
            {
                "--epochs": self.epochs,
                "--views": self.views,
                "--batch-size": self.batch_size,
                "--learning-rate": self.learning_rate,
                "--filters": min(self.filters, default=0),
            }
        )
        _check_most("--filters", max(self.filters))
        if not 0 < self.held_out < 1:
            raise InputError(f"--held-out is {self.held_out:g} and must lie between 0 and 1")
        if self.decay is not None and not 0 <= self.decay < math.inf:
            raise InputError(f"--decay is {self.decay:g} and must be finite and not negative")
        if self.tile and (self.tile < MIN_TILE or self.tile % 2):
            raise InputError(f"--tile is {self.tile} and must be 0 (whole pictures), or even and at least {MIN_TILE}")

    def steps(self, images: int) -> int:
        """Returns the number of batches in an epoch over so many images."""
        return -(-images * self.views // self.batch_size)


@dataclass(frozen=True, kw_only=True)
class Settings(Dials):
    """All dials, settled: what a network is trained and scored by."""

    latent: int = LATENT
    light: Light = "as_is"  # "even": under even light
    repair: bool = True  # damage the images and let the network restore them
    blur: float = 0.0  # of the difference, before it is squared; standard deviation in pixels

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_open(self.latent, self.blur)

    def scoring(self, reduction: Reduction, typical: Typical | None = None) -> Scoring:
        """Returns how a detector of these settings scores, with this reduction."""
        return Scoring(reduction, self.blur, self.tile, typical, self.light)


@dataclass(frozen=True, kw_only=True)
class Draft(Dials):
    """All dials, of which the pictures are still to decide those that are None."""

    latent: int | None = None  # 16, or 8 without repair
    light: Light | None = None  # by how the light varies, see `adtrain.light`
    repair: bool | None = None  # unless many pictures stand out
    blur: float | None = None  # 0.7, or none without repair

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_open(self.latent, self.blur)

    def settled(self, light: Light, *, many: bool) -> Settings:
        """Returns the settings that the pictures decide.

        Args:
            light: how they are lit, where the draft leaves it open.
            many: whether many training images stand out.
        """
        repair = not many if self.repair is None else self.repair
        latent, blur = (LATENT, BLUR) if repair else (LATENT_WITHOUT_REPAIR, BLUR_WITHOUT_REPAIR)
        return Settings(
            **{field.name: getattr(self, field.name) for field in fields(Dials)},
            latent=latent if self.latent is None else self.latent,
            light=self.light or light,
            repair=repair,
            blur=blur if self.blur is None else self.blur,
        )


def _check_open(latent: int | None, blur: float | None) -> None:
    if latent is not None:
        _check_counts({"--latent": latent})
    if blur is not None and not 0 <= blur < math.inf:
        raise InputError(f"--blur is {blur:g} and must be finite and not negative")


def _check_counts(counts: dict[str, float]) -> None:
    for flag, value in counts.items():
        if not 0 < value < math.inf:
            raise InputError(f"{flag} is {value} and must be greater than 0 and finite")
        _check_most(flag, value)


def _check_most(flag: str, value: float) -> None:
    if value > MOST.get(flag, math.inf):
        raise InputError(f"{flag} is {value} and must be at most {MOST[flag]}")
