"""Which images of a folder `adtrain fit` takes as normal, which it leaves out, and how it says so."""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from adscore.errors import InputError
from adtrain.layout import (
    WORDS,
    Folder,
    folder_of,
    folders_of,
    masks_of,
    namesakes,
    place_of,
    product_paths,
    words_of,
)
from adtrain.selection import TOP, Selection
from adtrain.told import NAMED, counted, folders_told, listed

_NORMAL, _EXCLUDED = "normal", "excluded image"

# Names that say nothing as a whole, but look like classes where words of both kinds are in them: ok_front, def_front.
_HINTS = (
    {word for word in WORDS["normal"] if "_" not in word} | {"negative", "neg"},
    {word for word in WORDS["anomaly"] if "_" not in word} | {"positive", "pos", "def"},
)


@dataclass(frozen=True)
class Choice:
    """The images to train on, and how to tell of it."""

    taken: tuple[int, ...]  # ascending indices into the names
    lines: tuple[str, ...]


class _Part(NamedTuple):
    what: str  # _NORMAL, or what is left out
    folder: str  # as it is told, "" for the top
    images: Sequence[int]


def choose(data: str, names: Sequence[str], selection: Selection) -> Choice:
    """Returns which of the images to train on, by what the user says or by the names of their folders alone.

    Args:
        data: what to call the folder in messages.
        names: of all its images, relative to it, "/" on every system.
        selection: what the user says.

    Raises:
        InputError: which are normal is not certain, with the command to type; or none is left.
    """
    selection.check(data, names)
    excluded = [index for index, name in enumerate(names) if selection.excludes(name)]
    rest = sorted(set(range(len(names))).difference(excluded))
    parts = list(_named(names, rest, selection) if selection.normal else _by_layout(data, names, rest))
    parts += [_Part(_EXCLUDED, folder_of(names[index]), [index]) for index in excluded]
    counts: dict[str, Counter[str]] = {}
    for part in parts:
        if part.images:
            counts.setdefault(part.what, Counter())[part.folder] += len(part.images)
    taken = sorted(index for part in parts if part.what == _NORMAL for index in part.images)
    normal = counts.pop(_NORMAL, Counter())
    left = "; ".join(f"{counted(each.total(), what)}{folders_told(each)}" for what, each in counts.items())
    if not taken:
        others = [part.folder for part in parts if part.images and part.what != _EXCLUDED]
        if not others:
            raise InputError(f"{data}: all its images are excluded; give a narrower --exclude")
        raise InputError(_uncertain(data, f"holds no images to train on, only {left}", others))
    every = "all " if len(taken) == len(names) else ""
    lines = [f"{data}: takes as normal {every}{counted(len(taken), 'image')}{folders_told(normal)}"]
    if left:
        lines.append(f"{data}: leaves out {left}")
    alike = namesakes(names[index] for index in taken)
    if alike:
        pattern = shlex.quote(f"*.{alike[1].rpartition('.')[2]}")
        lines.append(f"{data}: takes both {alike[0]} and {alike[1]}; if one is a mask, or a copy: --exclude {pattern}")
    return Choice(tuple(taken), tuple(lines))


def _named(names: Sequence[str], indices: Iterable[int], selection: Selection) -> Iterator[_Part]:
    """Yields the images in the folders that the user named as normal, the masks among them, and the others."""
    within: dict[str, list[int]] = {}
    for index in indices:
        folder = selection.normal_folder(names[index])
        if folder is None:
            yield _Part("other image", folder_of(names[index]), [index])
        else:
            within.setdefault(folder, []).append(index)
    for folder, images in within.items():
        # From there on: a folder that is called as one for masks is taken where it is the one that is named.
        below = {index: names[index] if folder == TOP else names[index][len(folder) + 1 :] for index in images}
        masks = masks_of([below.get(index, "") for index in range(len(names))], images)
        yield _Part(_NORMAL, "" if folder == TOP else folder, [index for index in images if index not in masks])
        for index in sorted(masks):
            beside = "mask" not in place_of(folder_of(below[index])).roles
            yield _Part("mask beside its picture" if beside else "mask", folder_of(names[index]), [index])


def _by_layout(data: str, names: Sequence[str], indices: Iterable[int]) -> Iterator[_Part]:
    """Yields the images by what the names of their folders say."""
    every = folders_of(names, indices)
    folders = [folder for folder in every if folder.pictures]
    # Where there is a folder for training, what lies outside of it is not for training, whatever it is called.
    train = [folder for folder in folders if folder.place.split == "train"]
    pool = train or [folder for folder in folders if folder.place.split is None]
    inside = {folder.path for folder in pool}
    outside = [folder for folder in folders if folder.path not in inside]
    _refuse_uncertain(data, pool, outside)
    good = [folder for folder in pool if folder.place.kind == "normal"]
    for folder in good or [folder for folder in pool if folder.place.kind is None]:
        yield _Part(_NORMAL, folder.place.folder or folder.path.partition("/")[0], folder.pictures)
    for folder in folders:
        if folder.place.kind == "anomaly":
            yield _Part("anomaly", folder.told, folder.pictures)
        elif folder.path not in inside:
            yield _Part("test image" if folder.place.split == "test" else "other image", folder.told, folder.pictures)
    for folder in every:
        what = "mask beside its picture" if folder.pictures else "mask"
        yield _Part(what, folder.told, folder.masks)


def _refuse_uncertain(data: str, pool: Sequence[Folder], outside: Sequence[Folder]) -> None:
    """Raises InputError unless the names tell which images are normal."""
    good = [folder for folder in pool if folder.place.kind == "normal"]
    bad = [folder for folder in pool if folder.place.kind == "anomaly"]
    unknown = [folder for folder in pool if folder.place.kind is None]
    also = [folder for folder in outside if (folder.place.split, folder.place.kind) == (None, "normal")]
    for_training = [*good, *also] or [folder for folder in pool if folder.place.split == "train"]
    products = product_paths(folder.place for folder in for_training)
    if len(products) > 1:
        raise InputError(
            f"{data}: holds normal images of {len(products)} products or parts, {listed(products)}; train on one: "
            f"adtrain fit {shlex.quote(str(Path(data) / products[0]))}; or name with --normal, once each, those to "
            "train on as one"
        )
    found, likely = "", good
    words = {word: folder for folder in unknown for part in folder.path.split("/") for word in words_of(part)}
    if outside and not pool:
        found = "holds test images only"
        likely = [folder for folder in outside if folder.place.kind == "normal"] or list(outside)
    elif also:
        found = f"holds normal images in several places, {_told([*good, *also])}"
    elif good and unknown:
        found = f"holds {_told(good)}, and beside it images of no known kind, in {_told(unknown)}"
    # Loose images beside a folder of bad ones are the rest; a folder of another name may be one more kind of defect.
    elif bad and any(folder.path != folder.place.folder for folder in unknown):
        found, likely = f"holds {_told(bad)} and no folder that is called good, but {_told(unknown)}", unknown
    elif all(words.keys() & hints for hints in _HINTS):
        found = f"holds folders that look like normal images and defects, {_told(unknown)}"
        likely = [words[word] for word in words if word in _HINTS[0]]
    if found:
        raise InputError(_uncertain(data, found, [folder.told for folder in likely]))


def _uncertain(data: str, found: str, normal: Iterable[str]) -> str:
    folders = list(dict.fromkeys(normal))[:NAMED]
    options = " ".join(f"--normal {shlex.quote(str(Path(data) / folder))}" for folder in folders)
    return f"{data}: {found}; say which folders are normal, for instance: adtrain fit {shlex.quote(data)} {options}"


def _told(folders: Iterable[Folder]) -> str:
    return listed(folder.told or "its top" for folder in folders)
