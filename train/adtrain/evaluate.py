"""How well a detector finds known anomalies: scores labelled images and compares."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_fscore_support, roc_auc_score

from adscore.detector import Detector
from adscore.errors import InputError
from adscore.prediction import Prediction, decide
from adscore.remarks import Remarks
from adtrain.labelled import LabelledFile
from adtrain.localization import pixel_auroc

# Intervals hold the middle 95 % of the figures of so many sets, drawn anew from the images, kind by kind.
RESAMPLES = 1000
INTERVAL = (2.5, 97.5)

Figures = dict[str, float]


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Kind:
    """How one kind of anomaly fares against all normal images; or how often normal images are flagged."""

    name: str
    is_anomaly: bool
    images: int
    flagged: int
    auroc: float | None  # None for normal images


@dataclass(frozen=True)
class Evaluation:
    """How scores and labels compare with what is known; images that could not be read are left out."""

    images: int
    unreadable: int
    anomalies: int
    threshold: float
    true_positives: int  # anomalies above the threshold
    false_positives: int  # normal images above the threshold
    false_negatives: int
    true_negatives: int
    auroc: Estimate
    average_precision: Estimate
    precision: Estimate | None  # None where no image is flagged: a share of nothing
    recall: Estimate
    f1: Estimate
    kinds: tuple[Kind, ...]
    masked: int  # anomalies with a mask; without one they do not count for pixel_auroc
    pixel_auroc: float | None  # where there are masks


@dataclass(frozen=True)
class Scored:
    """The labelled images that could be read, with their scores."""

    files: tuple[LabelledFile, ...]
    faults: tuple[str, ...]  # "path: cause" of each of the others
    scores: NDArray[np.float64]  # (n,)
    known: NDArray[np.bool_]  # (n,), whether it is an anomaly
    flagged: NDArray[np.bool_]  # (n,), whether it lies above the threshold
    remarks: Remarks


def score_files(
    detector: Detector, files: Sequence[LabelledFile], advance: Callable[[], None] = lambda: None
) -> Scored:
    """Returns the scores of `files`.

    Raises:
        InputError: what can be read holds no normal or no anomalous image.
    """
    scored: list[tuple[LabelledFile, Prediction]] = []
    remarks, spec, size = Remarks(), detector.spec, detector.batch_size
    for start in range(0, len(files), size):
        batch = files[start : start + size]
        paths = [str(file.path) for file in batch]
        found = detector.score_files(paths, padded_to=min(size, len(files)))
        decided = decide(paths, found, spec.calibration.threshold, spec.calibration.reference)
        for file, prediction in zip(batch, decided, strict=True):
            scored.append((file, prediction))
            advance()
        remarks += Remarks.on(((paths[place], original) for place, original in found.noted.items()), spec)
    readable = [(file, prediction) for file, prediction in scored if prediction.error is None]
    known = np.array([file.is_anomaly for file, _ in readable], bool)
    if known.all() or not known.any():
        raise InputError(
            f"{len(scored) - len(readable)} of {len(scored)} images cannot be read, and the rest is of one "
            "kind; repair or add images"
        )
    return Scored(
        tuple(file for file, _ in readable),
        tuple(f"{file.path}: {prediction.error}" for file, prediction in scored if prediction.error is not None),
        np.array([prediction.score for _, prediction in readable], np.float64),
        known,
        np.array([prediction.is_anomaly for _, prediction in readable], bool),
        remarks,
    )


@dataclass(frozen=True)
class Comparison:
    """Two detectors on the same labelled images, each at its own threshold; pairs are before and after."""

    images: int
    flips: int  # images with another label
    auroc: tuple[float, float]
    average_precision: tuple[float, float]


def compare(
    before: Detector, after: Detector, files: Sequence[LabelledFile], advance: Callable[[], None] = lambda: None
) -> Comparison:
    """Returns how two detectors that read images alike differ on `files`; calls `advance` twice a file.

    Raises:
        InputError: what can be read holds no normal or no anomalous image.
    """
    first, second = score_files(before, files, advance), score_files(after, files, advance)
    figures = [_figures(scored.scores, scored.known, scored.flagged) for scored in (first, second)]
    return Comparison(
        images=len(first.files),
        flips=int((first.flagged != second.flagged).sum()),
        auroc=(figures[0]["auroc"], figures[1]["auroc"]),
        average_precision=(figures[0]["average_precision"], figures[1]["average_precision"]),
    )


def evaluate(detector: Detector, scored: Scored, *, resamples: int = RESAMPLES) -> Evaluation:
    """Returns the figures of scored images, with intervals from `resamples` bootstrap draws."""
    known, flagged, scores = scored.known, scored.flagged, scored.scores
    estimates = _estimates(scores, known, flagged, resamples)
    (true_negatives, false_positives), (false_negatives, true_positives) = confusion_matrix(known, flagged).tolist()
    return Evaluation(
        images=len(scores),
        unreadable=len(scored.faults),
        anomalies=int(known.sum()),
        threshold=detector.spec.calibration.threshold,
        true_positives=true_positives,
        false_positives=false_positives,
        false_negatives=false_negatives,
        true_negatives=true_negatives,
        kinds=tuple(_kinds(scored)),
        masked=sum(file.is_anomaly and file.mask is not None for file in scored.files),
        pixel_auroc=pixel_auroc(detector, scored.files),
        auroc=estimates["auroc"],
        average_precision=estimates["average_precision"],
        precision=estimates["precision"] if flagged.any() else None,
        recall=estimates["recall"],
        f1=estimates["f1"],
    )


def _estimates(
    scores: NDArray[np.float64], known: NDArray[np.bool_], flagged: NDArray[np.bool_], resamples: int
) -> dict[str, Estimate]:
    random = np.random.default_rng(0)
    groups = [np.flatnonzero(known), np.flatnonzero(~known)]
    draws = []
    for _ in range(resamples):
        drawn = np.concatenate([random.choice(group, len(group)) for group in groups])
        draws.append(_figures(scores[drawn], known[drawn], flagged[drawn]))
    figures = _figures(scores, known, flagged)
    return {name: _estimate(value, [draw[name] for draw in draws]) for name, value in figures.items()}


def _estimate(value: float, draws: Sequence[float]) -> Estimate:
    defined = [draw for draw in draws if not math.isnan(draw)]  # where nothing is flagged there is no precision
    return Estimate(value, *np.percentile(defined or [value], INTERVAL).tolist())


def _figures(scores: NDArray[np.float64], known: NDArray[np.bool_], flagged: NDArray[np.bool_]) -> Figures:
    precision, recall, f1, _ = precision_recall_fscore_support(known, flagged, average="binary", zero_division=np.nan)
    return {
        "auroc": float(roc_auc_score(known, scores)),
        "average_precision": float(average_precision_score(known, scores)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
    }


def _kinds(scored: Scored) -> list[Kind]:
    names = np.array([file.kind for file in scored.files])
    kinds = []
    for is_anomaly in (False, True):
        for name in sorted(set(names[scored.known == is_anomaly].tolist())):
            of_kind = (names == name) & (scored.known == is_anomaly)
            auroc = None
            if is_anomaly:
                compared = of_kind | ~scored.known
                auroc = float(roc_auc_score(of_kind[compared], scored.scores[compared]))
            kinds.append(Kind(name, is_anomaly, int(of_kind.sum()), int(scored.flagged[of_kind].sum()), auroc))
    return kinds
