"""All that repeats a training, with the seed's values as defaults."""

import math
from dataclasses import dataclass

from adscore.errors import InputError


@dataclass(frozen=True)
class Settings:
    """The dials of `adtrain fit`."""

    filters: tuple[int, ...] = (32, 64)
    latent: int = 16
    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 1e-3
    decay: float | None = None  # rate = learning_rate / (1 + decay x steps); by default learning_rate / epochs
    held_out: float = 0.2  # share of the images that training never sees
    seed: int = 42

    def __post_init__(self) -> None:
        positive = {
            "--latent": self.latent, "--epochs": self.epochs, "--batch-size": self.batch_size,
            "--learning-rate": self.learning_rate, "--filters": min(self.filters, default=0),
        }  # fmt: skip
        for flag, value in positive.items():
            if not 0 < value < math.inf:
                raise InputError(f"{flag} is {value} and must be greater than 0")
        if not 0 < self.held_out < 1:
            raise InputError(f"--held-out is {self.held_out:g} and must lie between 0 and 1")
        if self.decay is not None and not 0 <= self.decay < math.inf:
            raise InputError(f"--decay is {self.decay:g} and must not be negative")

    @property
    def decay_rate(self) -> float:
        """The decay in effect."""
        return self.learning_rate / self.epochs if self.decay is None else self.decay
