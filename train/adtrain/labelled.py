"""Images whose kind is known: a folder with labels.csv, or one whose folders say it, by `layout`'s words."""

import csv
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adscore.errors import InputError, OutputError
from adscore.file_names import from_utf8
from adscore.inputs import Inputs
from adtrain.dataset import LABELS_COLUMNS, LABELS_FILE
from adtrain.ground_truth import masks_for
from adtrain.layout import Folder, folders_of, namesakes, product_paths, role_of
from adtrain.told import counted, folders_told, listed

KNOWN = (
    f"{LABELS_FILE} with {', '.join(LABELS_COLUMNS)}; test/good and test/DEFECT, as in MVTec AD; OK and NG, good and "
    "bad, normal and anomaly, in test or not; or Data/Images/Normal and Data/Images/Anomaly, as in VisA"
)

Notify = Callable[[str], None]


@dataclass(frozen=True)
class LabelledFile:
    """An image file and what it is known to show."""

    path: Path
    is_anomaly: bool
    kind: str  # folder or label
    mask: Path | None = None  # picture of the size of the image, above zero where the anomaly is


def labelled_files(data: str, *, hidden: bool = False, notify: Notify = lambda _: None) -> list[LabelledFile]:
    """Returns the images of a folder whose kind is known.

    Args:
        data: the folder.
        hidden: take what is hidden in the folder, or of the system, as well; labels.csv names its images itself.
        notify: takes lines that say what is left out and passed over.

    Raises:
        InputError: nothing tells the kind of the images, or they are only normal or only anomalous.
    """
    folder = Path(data)
    if not folder.is_dir():
        raise InputError(f"{data}: no such folder; give one of these kinds: {KNOWN}")
    below = sorted(path for path in folder.iterdir() if role_of(path.name) == "test")
    labels = next((path for path in (folder, *below) if (path / LABELS_FILE).is_file()), None)
    files = list(_from_labels(labels) if labels else _from_layout(data, hidden=hidden, notify=notify))
    if len({file.is_anomaly for file in files}) < 2:
        kinds = listed(file.kind for file in files)
        raise InputError(
            f"{data}: normal and anomalous images are both needed to evaluate, and there is one kind only: {kinds}"
        )
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


def _from_layout(data: str, *, hidden: bool, notify: Notify) -> Iterator[LabelledFile]:
    found = Inputs([data], hidden=hidden)
    images = list(found)
    for line in found.passed_over():
        notify(line)
    names = [image.name for image in images]
    every = folders_of(names, range(len(names)))
    folders = [folder for folder in every if folder.pictures]
    # Where there are folders for tests, what lies outside of them is not for tests, whatever it is called.
    pool = [folder for folder in folders if folder.place.split == "test"]
    pool = pool or [folder for folder in folders if folder.place.split is None]
    if not pool or not any(folder.place.kind for folder in pool):
        raise InputError(
            f"{data}: nothing tells which of its images are normal; give a folder of one of these kinds: {KNOWN}"
        )
    good = [folder for folder in pool if folder.place.kind == "normal"]
    products = product_paths(folder.place for folder in good)
    if len(products) > 1:
        raise InputError(
            f"{data}: holds test images of {len(products)} products or parts, {listed(products)}; evaluate one: "
            f"adtrain evaluate FILE {shlex.quote(str(Path(data) / products[0]))}"
        )
    root = _root(good[0]) if good else ""
    kinds = {folder.path: kind for folder in pool if (kind := _kind(folder, root)) is not None}
    stray = next((names[folder.pictures[0]] for folder in pool if kinds.get(folder.path) == ""), None)
    if stray:
        raise InputError(
            f"{Path(data) / stray}: lies in no folder that tells its kind; move it to one that is called good, or as "
            "its defect"
        )
    _tell(data, folders, kinds, notify)
    if good and good[0].place.split is None and role_of(Path(data).resolve().name) != "test":
        notify(
            f"{data}: has no folder for tests; adtrain fit takes the same normal images, {good[0].told}, and figures "
            "of images that were trained on flatter"
        )
    pictures = [(index, folder) for folder in pool if folder.path in kinds for index in folder.pictures]
    known = {names[index]: folder.place.kind != "normal" for index, folder in pictures}
    alike = namesakes(known)
    if alike:
        notify(f"{data}: takes both {alike[0]} and {alike[1]}; move masks to a folder called masks, and copies away")
    masks = [names[index] for folder in every for index in folder.masks]
    mask_of = masks_for(data, known, masks, notify)
    for index, folder in sorted(pictures, key=lambda each: each[0]):
        name = names[index]
        yield LabelledFile(Path(images[index].location), known[name], kinds[folder.path], mask_of.get(name))


def _root(good: Folder) -> str:
    """Returns the folder that holds the one called good, and beside it the kinds of defects."""
    parts = good.path.split("/")
    return "/".join(parts[: next(index for index, part in enumerate(parts) if role_of(part) == "normal")])


def _kind(folder: Folder, root: str) -> str | None:
    """Returns what the images in a folder show, "" if nothing tells it; None if they lie elsewhere than the others."""
    named = {role_of(part): part for part in reversed(folder.path.split("/"))}
    if folder.place.kind == "normal":
        return named["normal"]
    if root and not f"{folder.path}/".startswith(f"{root}/"):
        return named.get("anomaly")
    below = folder.path.removeprefix(root).lstrip("/").partition("/")[0]
    return below if role_of(below) not in ("test", "train") else named.get("anomaly", "")


def _tell(data: str, folders: Sequence[Folder], kinds: dict[str, str], notify: Notify) -> None:
    left: dict[str, Counter[str]] = {}
    for folder in folders:
        if folder.path not in kinds:
            what = "training image" if folder.place.split == "train" else "other image"
            left.setdefault(what, Counter())[folder.told] += len(folder.pictures)
    told = "; ".join(f"{counted(each.total(), what)}{folders_told(each)}" for what, each in left.items())
    if told:
        notify(f"{data}: leaves out {told}")
