"""What is said of one image: a score and a decision, or the reason why there is none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adscore.calibration import is_anomaly, p_values
from adscore.original import Original
from adscore.spec import Reference


class Prediction(NamedTuple):
    """What the detector says of one image: a score and a label, or the reason why there is none."""

    path: str  # as given
    score: float | None  # higher = more anomalous; exact in float32
    threshold: float
    is_anomaly: bool | None
    p_value: float | None  # share of held-out normal images at least as anomalous, (1 + k) / (n + 1)
    error: str | None


@dataclass(frozen=True)
class Scored:
    """What a batch of files came to before any decision; small, so that it travels between processes."""

    scores: NDArray[np.float32]  # (n,); NaN where there is none
    errors: dict[int, str]  # the reason, by place in the batch
    # What pictures were of which there is something to remark, by place in the batch; nearly always none.
    noted: dict[int, Original] = field(default_factory=dict)

    @classmethod
    def nothing(cls) -> "Scored":
        """Returns what a batch without files came to."""
        return cls(np.empty(0, np.float32), {})

    @classmethod
    def failed(cls, error: str) -> "Scored":
        """Returns what one file came to that has no score."""
        return cls(np.full(1, np.nan, np.float32), {0: error})

    @classmethod
    def joined(cls, parts: Sequence["Scored"]) -> "Scored":
        """Returns one batch of several files that were scored one by one."""
        errors = {place: part.errors[0] for place, part in enumerate(parts) if part.errors}
        noted = {place: part.noted[0] for place, part in enumerate(parts) if part.noted}
        return cls(np.concatenate([part.scores for part in parts]), errors, noted)

    def among(self, known: NDArray[np.float32]) -> "Scored":
        """Returns the batch of which some scores were known, float32 of shape (n,); these stand where it has NaN."""
        places = np.flatnonzero(np.isnan(known))
        scores = known.copy()
        scores[places] = self.scores
        errors = {int(places[place]): error for place, error in self.errors.items()}
        return Scored(scores, errors, {int(places[place]): original for place, original in self.noted.items()})


def decide(paths: Sequence[str], scored: Scored, threshold: float, reference: Reference) -> Iterator[Prediction]:
    """Yields one prediction a file.

    Args:
        paths: what to call the files.
        scored: what they came to.
        threshold: exact in float32.
        reference: the detector's held-out scores.
    """
    labels = is_anomaly(scored.scores, threshold).tolist()
    chances = p_values(scored.scores, reference).tolist()
    values = zip(paths, scored.scores.tolist(), labels, chances, strict=True)
    for place, (path, score, label, p_value) in enumerate(values):
        error = scored.errors.get(place)
        if error is None:
            yield Prediction(path, score, threshold, label, p_value, None)
        else:
            yield Prediction(path, None, threshold, None, None, error)
