"""How well a detector finds known anomalies: scores a labelled folder and compares."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from adscore.detector import Detector, Prediction
from adscore.errors import InputError
from adscore.inputs import find_images
from adtrain.dataset import LABELS_COLUMNS, LABELS_FILE

_GOOD = "good"  # of MVTec AD's layout: test/good and one folder beside it for each kind of defect
_TEST = "test"


@dataclass(frozen=True)
class LabelledFile:
    """An image file and whether it is known to show an anomaly."""

    path: Path
    is_anomaly: bool


@dataclass(frozen=True)
class Evaluation:
    """How scores and labels compare with what is known; images that could not be read are left out."""

    images: int
    unreadable: int
    anomalies: int
    flagged: int  # above the detector's threshold
    found: int  # flagged, and anomalies indeed
    auroc: float
    average_precision: float

    @property
    def precision(self) -> float:
        """Share of the flagged images that are anomalies."""
        return self.found / self.flagged if self.flagged else 0.0

    @property
    def recall(self) -> float:
        """Share of the anomalies that are flagged."""
        return self.found / self.anomalies


def labelled_files(data: str) -> list[LabelledFile]:
    """Returns the images of a folder with labels.csv, or in MVTec AD's layout (good, and a folder a defect).

    Raises:
        InputError: the folder has neither, or only normal or only anomalous images.
    """
    folder = Path(data)
    if not folder.is_dir():
        raise InputError(
            f"{data}: no such folder; give one with {LABELS_FILE}, or with {_TEST}/{_GOOD} and {_TEST}/DEFECT"
        )
    files = list(_from_labels(folder) if (folder / LABELS_FILE).is_file() else _from_layout(folder))
    if len({file.is_anomaly for file in files}) < 2:
        raise InputError(f"{data}: normal and anomalous images are both needed to evaluate, and there is one kind only")
    return files


def evaluate(detector: Detector, files: list[LabelledFile], advance: Callable[[], None] = lambda: None) -> Evaluation:
    """Returns how the detector does on `files`.

    Raises:
        InputError: what can be read holds no normal or no anomalous image.
    """
    scored: list[tuple[Prediction, bool]] = []
    for file, prediction in zip(files, detector.predict(file.path for file in files), strict=True):
        scored.append((prediction, file.is_anomaly))
        advance()
    readable = [(prediction, known) for prediction, known in scored if prediction.error is None]
    known = np.array([known for _, known in readable], bool)
    if known.all() or not known.any():
        raise InputError(
            f"{len(scored) - len(readable)} of {len(scored)} images cannot be read; the rest is of one kind"
        )
    scores = np.array([prediction.score for prediction, _ in readable], np.float64)
    labels = np.array([prediction.is_anomaly for prediction, _ in readable], bool)
    return Evaluation(
        images=len(readable),
        unreadable=len(scored) - len(readable),
        anomalies=int(known.sum()),
        flagged=int(labels.sum()),
        found=int((labels & known).sum()),
        auroc=float(roc_auc_score(known, scores)),
        average_precision=float(average_precision_score(known, scores)),
    )


def _from_labels(folder: Path) -> Iterator[LabelledFile]:
    path = folder / LABELS_FILE
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a CSV table in UTF-8 ({error}); write it anew") from error
    for row in rows:
        name, is_anomaly = row.get("path"), (row.get("is_anomaly") or "").lower()
        if not name or is_anomaly not in ("true", "false"):
            columns = ", ".join(LABELS_COLUMNS)
            raise InputError(f"{path}: needs the columns {columns}, is_anomaly true or false")
        yield LabelledFile(folder / name, is_anomaly == "true")


def _from_layout(folder: Path) -> Iterator[LabelledFile]:
    if (folder / _TEST).is_dir():
        folder = folder / _TEST
    if not (folder / _GOOD).is_dir():
        raise InputError(f"{folder}: has no {LABELS_FILE} and no folder {_GOOD}; give a folder with one of them")
    for image in find_images([str(folder)]):
        if "/" not in image.name:
            raise InputError(
                f"{folder / image.name}: lies in no folder that tells its kind; move it to {_GOOD} or a defect"
            )
        yield LabelledFile(Path(image.location), not image.name.startswith(f"{_GOOD}/"))
