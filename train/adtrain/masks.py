"""Which mask belongs to which picture, by their names alone.

A mask has the name of its picture, with an ending or without, in any image format. It lies beside it, or in a folder
for masks whose further folders are those that the picture lies in: `ground_truth/dent/0_mask.png` for
`test/dent/0.jpg`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from adscore.errors import InputError
from adtrain.layout import bare_stem, folder_of, role_of, stem_of


@dataclass(frozen=True)
class Pairs:
    """Masks by their pictures, and those of no picture."""

    mask_of: dict[str, str]
    strays: tuple[str, ...]


def pair(anomalies: Iterable[str], others: Iterable[str], masks: Iterable[str]) -> Pairs:
    """Returns which masks belong to anomalies; those of other pictures, which have nothing to mark, to none.

    Args:
        anomalies: names of pictures, relative to the folder searched, "/" on every system.
        others: those of other pictures.
        masks: those of masks.

    Raises:
        InputError: a mask fits several anomalies, or an anomaly several masks.
    """
    wanted, passed_over = _by_stem(anomalies), _by_stem(others)
    mask_of: dict[str, str] = {}
    strays = []
    for mask in masks:
        fitting = _fitting(mask, wanted)
        if len(fitting) > 1:
            raise InputError(
                f"{mask}: is the mask of {fitting[0]} and of {fitting[1]}, by its name; put masks into folders "
                "that are called as those of their pictures"
            )
        for picture in fitting:
            if picture in mask_of:
                raise InputError(f"{picture}: has two masks, {mask_of[picture]} and {mask}; remove one")
            mask_of[picture] = mask
        if not fitting and not _fitting(mask, passed_over):
            strays.append(mask)
    return Pairs(mask_of, tuple(strays))


def _by_stem(pictures: Iterable[str]) -> dict[str, list[str]]:
    by_stem: dict[str, list[str]] = defaultdict(list)
    for picture in pictures:
        by_stem[stem_of(picture)].append(picture)
    return by_stem


def _fitting(mask: str, by_stem: dict[str, list[str]]) -> list[str]:
    stem = stem_of(mask)
    for each in (stem, bare_stem(stem)):
        fitting = [picture for picture in by_stem.get(each or "", ()) if _belongs(mask, picture)]
        if fitting:
            return fitting
    return []


def _belongs(mask: str, picture: str) -> bool:
    """Returns whether their folders correspond."""
    of_mask, of_picture = (folder_of(name).casefold().split("/") if "/" in name else [] for name in (mask, picture))
    roles = [role_of(folder) for folder in of_mask]
    if "mask" not in roles:
        return of_picture in (of_mask, of_mask[:-1])
    first = roles.index("mask")
    above, below = of_mask[:first], [name for name in of_mask[first:] if role_of(name) != "mask"]
    return (
        len(of_picture) >= len(above) + len(below)
        and of_picture[: len(above)] == above
        and of_picture[len(of_picture) - len(below) :] == below
    )
