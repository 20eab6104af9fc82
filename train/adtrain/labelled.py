"""Images whose kind is known: a folder with labels.csv, or in MVTec AD's layout."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adscore.errors import InputError, OutputError
from adscore.file_names import from_utf8
from adscore.inputs import Inputs
from adtrain.dataset import LABELS_COLUMNS, LABELS_FILE

GOOD = "good"  # of MVTec AD's layout: test/good and one folder beside it for each kind of defect
_TEST, _TRAIN = "test", "train"
_MASKS = "ground_truth"  # beside test: the same folders and names, "_mask" before the suffix


@dataclass(frozen=True)
class LabelledFile:
    """An image file and what it is known to show."""

    path: Path
    is_anomaly: bool
    kind: str  # folder or label
    mask: Path | None = None  # picture of the size of the image, white where the anomaly is


def labelled_files(
    data: str, *, hidden: bool = False, notify: Callable[[str], None] = lambda _: None
) -> list[LabelledFile]:
    """Returns the images of a folder with labels.csv, or in MVTec AD's layout (good, and a folder a defect).

    Args:
        data: the folder.
        hidden: take what is hidden in the folder, or of the system, as well; labels.csv names its images itself.
        notify: takes a line for each sort of thing in the folder that was passed over.

    Raises:
        InputError: the folder has neither, or only normal or only anomalous images.
    """
    folder = Path(data)
    if not folder.is_dir():
        raise InputError(
            f"{data}: no such folder; give one with {LABELS_FILE}, or with {_TEST}/{GOOD} and {_TEST}/DEFECT"
        )
    if not (folder / LABELS_FILE).is_file() and (folder / _TEST).is_dir():
        folder = folder / _TEST
    if (folder / LABELS_FILE).is_file():
        files = list(_from_labels(folder))
    else:
        images = _images_in(folder, hidden=hidden)
        files = list(_from_layout(folder, images))
        for line in images.passed_over():
            notify(line)
    if len({file.is_anomaly for file in files}) < 2:
        raise InputError(f"{data}: normal and anomalous images are both needed to evaluate, and there is one kind only")
    return files


def refuse_among(out: Path, files: Sequence[LabelledFile]) -> None:
    """Raises OutputError if `out` would be a folder beside those of test images, and so a kind of defect next time."""
    beside = {file.path.resolve().parent.parent for file in files if file.path.parent.name == file.kind}
    if any(out.resolve().is_relative_to(folder) and not (folder / LABELS_FILE).is_file() for folder in beside):
        raise OutputError(
            f"{out}: lies among the test images, and its pictures would count as a defect the next time; choose "
            "another --out"
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
        yield LabelledFile(folder / from_utf8(name), is_anomaly == "true", row.get("label") or is_anomaly)


def _images_in(folder: Path, *, hidden: bool) -> Inputs:
    if not (folder / GOOD).is_dir():
        raise InputError(f"{folder}: has no {LABELS_FILE} and no folder {GOOD}; give a folder with one of them")
    return Inputs([str(folder)], hidden=hidden)


def _from_layout(folder: Path, images: Inputs) -> Iterator[LabelledFile]:
    masks = folder.resolve().parent / _MASKS
    for image in images:
        kind, slash, _ = image.name.partition("/")
        if not slash:
            raise InputError(
                f"{folder / image.name}: lies in no folder that tells its kind; move it to {GOOD} or a defect"
            )
        if kind in (_MASKS, _TRAIN):
            raise InputError(
                f"{folder / kind}: lies among the folders of test images, each of them a kind of defect; move "
                f"{GOOD} and the defects to {folder / _TEST}"
            )
        path = Path(image.location)
        mask = masks / path.relative_to(folder).with_name(f"{path.stem}_mask.png")
        yield LabelledFile(path, kind != GOOD, kind, mask if mask.is_file() else None)
