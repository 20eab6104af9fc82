"""What the names of folders and files say of the images in them: one table of words, for fit and for evaluate alike.

Names are compared whole and whatever their case: `Bad Aibling` is not `bad`. Pixels are never looked at.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal

from adscore.errors import InputError
from adscore.sieve import SUFFIXES

Role = Literal["train", "test", "normal", "anomaly", "mask"]

# Spaces, hyphens, dots and underscores in a name count as one underscore.
WORDS: dict[Role, tuple[str, ...]] = {
    "train": ("train", "training"),
    "test": ("test", "testing", "test_public", "val", "valid", "validation", "eval", "evaluation", "holdout"),
    "normal": (
        "good", "ok", "okay", "normal", "nominal", "pass", "passed", "healthy", "intact", "flawless", "undamaged",
        "defect_free", "no_defect", "no_defects", "non_defective",
    ),
    "anomaly": (
        "bad", "ng", "nok", "ko", "not_ok", "notok", "no_good", "not_good", "anomaly", "anomalies", "anomalous",
        "abnormal", "defect", "defects", "defective", "fail", "failed", "failure", "fault", "faults", "faulty",
        "broken", "damage", "damaged", "reject", "rejects", "rejected", "scrap", "invalid", "outlier", "outliers",
    ),
    "mask": (
        "mask", "masks", "ground_truth", "groundtruth", "gt", "labels", "annotation", "annotations", "segmentation",
        "segmentations",
    ),
}  # fmt: skip
# Ends of the names of masks that lie beside their pictures or repeat their names: 0_mask.png, 0-GT.bmp.
_MASK_ENDING = re.compile(r"(.+)[ _.-]((?:ground[ _-]?truth)|mask|label|gt)", re.IGNORECASE)

_ROLES: dict[str, Role] = {word: role for role, words in WORDS.items() for word in words}


@dataclass(frozen=True)
class Place:
    """What the names of the folders above an image say."""

    folder: str  # down to the last one that says something; "" if none does
    product: tuple[str, ...]  # those down to there that say nothing
    roles: frozenset[Role]

    @property
    def split(self) -> Literal["train", "test"] | None:
        """Returns which half it belongs to, if any folder says so."""
        return "test" if "test" in self.roles else "train" if "train" in self.roles else None

    @property
    def kind(self) -> Literal["normal", "anomaly"] | None:
        """Returns what it shows, if any folder says so."""
        return "normal" if "normal" in self.roles else "anomaly" if "anomaly" in self.roles else None


@dataclass(frozen=True)
class Folder:
    """Images that lie in one folder, as indices into the names of all."""

    path: str  # relative to the folder searched, "" for itself
    pictures: tuple[int, ...]
    masks: tuple[int, ...]

    @cached_property
    def place(self) -> Place:
        """Returns what its path says."""
        return place_of(self.path)

    @cached_property
    def told(self) -> str:
        """Returns the path as it is told: down to the name that tells what its images are, all of it if none does."""
        return self.place.folder if self.place.kind or "mask" in self.place.roles else self.path


def role_of(name: str) -> Role | None:
    """Returns what the name of one folder says, None if nothing."""
    return _ROLES.get("_".join(words_of(name)))


def words_of(name: str) -> list[str]:
    """Returns the words in a name, without case."""
    return re.findall(r"[^\W_]+", name.casefold())


def place_of(path: str) -> Place:
    """Returns what the path of a folder says."""
    parts = PurePosixPath(path).parts
    roles = [role_of(part) for part in parts]
    last = max((number for number, role in enumerate(roles, 1) if role), default=0)
    product = tuple(part for part, role in zip(parts[:last], roles, strict=False) if role is None)
    return Place("/".join(parts[:last]), product, frozenset(role for role in roles if role))


def folder_of(name: str) -> str:
    """Returns the folder of an image; a name that is no image's is that of a folder that cannot be read."""
    return name.rpartition("/")[0] if name.lower().endswith(SUFFIXES) else name


def stem_of(name: str) -> str:
    """Returns the name of a file without folder and suffix, and without case."""
    file = name.rpartition("/")[2]
    return (file.rpartition(".")[0] or file).casefold()


def bare_stem(stem: str) -> str | None:
    """Returns the stem of the picture that a file of this stem is the mask of, by its ending; None without one."""
    match = _MASK_ENDING.fullmatch(stem)
    return match.group(1) if match else None


def folders_of(names: Sequence[str], indices: Iterable[int]) -> list[Folder]:
    """Returns the folders that hold the images at `indices`, in order, pictures told from masks.

    Raises:
        InputError: a folder lies below one that says normal and one that says anomaly.
    """
    members = _members(names, indices)
    masks = _masks_among(names, members)
    folders = []
    for path, images in members.items():
        pictures = tuple(index for index in images if index not in masks)
        if pictures and place_of(path).roles >= {"normal", "anomaly"}:
            raise InputError(f"{path}: its folders say both normal and anomaly; rename one; fit can --exclude it")
        folders.append(Folder(path, pictures, tuple(sorted(masks.intersection(images)))))
    return folders


def masks_of(names: Sequence[str], indices: Iterable[int]) -> set[int]:
    """Returns which of the images at `indices` are masks.

    Masks are what lies below a folder for masks, files that are called as one beside others, and files with a mask's
    ending where one of that ending in the folder has its picture beside it, or one folder above.
    """
    return _masks_among(names, _members(names, indices))


def _members(names: Sequence[str], indices: Iterable[int]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = defaultdict(list)
    for index in indices:
        members[folder_of(names[index])].append(index)
    return members


def _masks_among(names: Sequence[str], members: dict[str, list[int]]) -> set[int]:
    stems = {path: {stem_of(names[index]) for index in images} for path, images in members.items()}
    masks: set[int] = set()
    for path, images in members.items():
        beside = stems[path] | stems.get(path.rpartition("/")[0] if path else "", set())
        masks |= set(images) if "mask" in place_of(path).roles else _masks_beside(names, images, beside)
    return masks


def _masks_beside(names: Sequence[str], images: Iterable[int], beside: set[str]) -> set[int]:
    endings: dict[str, list[int]] = defaultdict(list)
    paired = set()
    for index in images:
        match = _MASK_ENDING.fullmatch(stem_of(names[index]))
        if role_of(stem_of(names[index])) == "mask" and len(beside) > 1:
            endings[""].append(index)
            paired.add("")
        elif match:
            endings[match.group(2)].append(index)
            if match.group(1) in beside:
                paired.add(match.group(2))
    return {index for ending in paired for index in endings[ending]}


def namesakes(pictures: Iterable[str]) -> tuple[str, str] | None:
    """Returns the first two pictures that differ in suffix alone, if any do: a mask, or a copy, maybe."""
    first: dict[str, str] = {}
    for name in pictures:
        other = first.setdefault(name.rpartition(".")[0].casefold(), name)
        if other.casefold() != name.casefold():
            return other, name
    return None


def product_paths(places: Iterable[Place]) -> list[str]:
    """Returns a folder for each product among these places, the shortest that holds all of it where there is one."""
    by_product = {place.product: place.folder for place in places}
    for depth in range(1, max(map(len, by_product), default=0) + 1):
        paths = {"/".join(product[:depth]): folder for product, folder in by_product.items()}
        if len(paths) == len(by_product) and all(path and f"{paths[path]}/".startswith(f"{path}/") for path in paths):
            return sorted(paths)
    return sorted(by_product.values())
