"""The masks of a labelled folder, inside of it or beside it, and what to say of those that cannot be used."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from adscore.errors import InputError
from adscore.inputs import Inputs
from adtrain.layout import folder_of, role_of
from adtrain.masks import pair
from adtrain.told import listed

_IMAGES = ("image", "images")


def masks_for(
    data: str, anomalous: Mapping[str, bool], masks: Sequence[str], notify: Callable[[str], None]
) -> dict[str, Path]:
    """Returns the masks of anomalies by the names of their pictures.

    Args:
        data: the folder.
        anomalous: whether a picture is an anomaly, by its name relative to the folder.
        masks: names of the masks in the folder; where it is one for tests or called images, and holds none, those of a
            folder for masks beside it are looked for.
        notify: takes lines that say which masks belong to nothing.

    Raises:
        InputError: a mask fits several anomalies, or an anomaly several masks.
    """
    top = Path(data)
    if not masks and (role_of(top.resolve().name) == "test" or top.resolve().name.casefold() in _IMAGES):
        top = top.resolve().parent
        masks = [f"{folder.name}/{mask}" for folder in _mask_folders(top) for mask in _images(folder)]
    pairs = pair(
        [name for name, is_anomaly in anomalous.items() if is_anomaly],
        [name for name, is_anomaly in anomalous.items() if not is_anomaly],
        masks,
    )
    if pairs.strays and pairs.mask_of:
        notify(f"{data}: masks of no picture, {len(pairs.strays)} in all: {listed(pairs.strays)}")
    if not pairs.mask_of:
        places = [folder_of(mask) or "." for mask in masks] or [str(folder) for folder in _empty(top, data, anomalous)]
        if places:
            notify(
                f"{data}: no mask in {listed(places)} belongs to an anomaly, so there is no pixel AUROC; a mask is an "
                "image with the name of its picture, or that and _mask, in folders of the same names"
            )
    return {picture: top / mask for picture, mask in pairs.mask_of.items()}


def _empty(top: Path, data: str, names: Mapping[str, bool]) -> Iterator[Path]:
    """Yields folders for masks, near the pictures, in which no image was found."""
    near = {Path(data), top}
    for path in {Path(folder_of(name)) for name in names}:
        near.update(Path(data) / parent for parent in (path, *path.parents))
    for folder in sorted(near):
        yield from _mask_folders(folder)


def _mask_folders(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(path for path in folder.iterdir() if role_of(path.name) == "mask" and path.is_dir())
    return []


def _images(folder: Path) -> list[str]:
    with suppress(InputError):  # there are none
        return [image.name for image in Inputs([str(folder)])]
    return []
