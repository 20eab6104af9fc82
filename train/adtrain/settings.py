"""All that repeats a training; what the user leaves open is chosen from the data by `adtrain.plan`."""

import math
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Settings:
    """The dials of `adtrain fit`."""

    filters: tuple[int, ...] = (32, 64)
    decoder: Decoder = "narrow"  # "wide": as many filters as the encoder; "narrow": half of them
    latent: int | None = None  # None: 16, or 8 without repair
    tile: int = 0  # side of the tiles the network takes, in pixels; 0: it takes whole pictures
    light: Light | None = "as_is"  # "even": under even light; None: by how the light varies, see `adtrain.light`
    repair: bool | None = True  # damage the images and let the network restore them; None: unless many stand out
    robust: bool = True  # leave out, as training goes on, what stands out from the rest
    score: Reduction = "mean"
    # Of the difference, before it is squared; standard deviation in pixels. None: 0.7, or none without repair.
    blur: float | None = 0.0
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
        positive = {
            "--latent": LATENT if self.latent is None else self.latent, "--epochs": self.epochs, "--views": self.views,
            "--batch-size": self.batch_size, "--learning-rate": self.learning_rate,
            "--filters": min(self.filters, default=0),
        }  # fmt: skip
        for flag, value in positive.items():
            if not 0 < value < math.inf:
                raise InputError(f"{flag} is {value} and must be greater than 0 and finite")
        largest = positive | {"--filters": max(self.filters)}
        for flag, most in MOST.items():
            if largest[flag] > most:
                raise InputError(f"{flag} is {largest[flag]} and must be at most {most}")
        if not 0 < self.held_out < 1:
            raise InputError(f"--held-out is {self.held_out:g} and must lie between 0 and 1")
        if self.decay is not None and not 0 <= self.decay < math.inf:
            raise InputError(f"--decay is {self.decay:g} and must be finite and not negative")
        if self.tile and (self.tile < MIN_TILE or self.tile % 2):
            raise InputError(f"--tile is {self.tile} and must be 0 (whole pictures), or even and at least {MIN_TILE}")
        if self.blur is not None and not 0 <= self.blur < math.inf:
            raise InputError(f"--blur is {self.blur:g} and must be finite and not negative")

    def steps(self, images: int) -> int:
        """Returns the number of batches in an epoch over so many images."""
        return -(-images * self.views // self.batch_size)

    def scoring(self, reduction: Reduction, typical: Typical | None = None) -> Scoring:
        """Returns how a detector of these settings scores, with this reduction."""
        blur = BLUR if self.blur is None else self.blur
        return Scoring(reduction, blur, self.tile, typical, self.light or "as_is")

    def chosen(self, many: bool) -> "Settings":
        """Returns these with nothing left open; `many` says whether many training images stand out."""
        repair = not many if self.repair is None else self.repair
        latent, blur = (LATENT, BLUR) if repair else (LATENT_WITHOUT_REPAIR, BLUR_WITHOUT_REPAIR)
        return replace(
            self,
            repair=repair,
            latent=latent if self.latent is None else self.latent,
            blur=blur if self.blur is None else self.blur,
        )
