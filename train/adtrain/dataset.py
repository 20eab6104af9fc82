"""The seed's unsupervised set: all images of one class, polluted with a few of another, as PNG files."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from adscore.atomic import folder_appears_when_complete
from adscore.errors import InputError
from adtrain.arrays import LabelledImages, Split

LABELS_FILE = "labels.csv"
LABELS_COLUMNS = ("path", "label", "is_anomaly")
CONTAMINATION = 0.01

_PICTURES = "[0-9]*.png"


def unsupervised_set(
    source: LabelledImages, *, normal: int, anomaly: int, contamination: float | None, seed: int
) -> LabelledImages:
    """Returns all images of `normal` and int(n x contamination) of `anomaly`, drawn and shuffled with the seed.

    Args:
        source: labelled images.
        normal: class of the normal images.
        anomaly: class of the anomalies.
        contamination: number of anomalies as a share of the number of normal images; None: all there are.
        seed: of the draw and the order.

    Raises:
        InputError: a class is empty, or has fewer images than the contamination asks for.
    """
    if normal == anomaly:
        raise InputError(f"label {normal} cannot be both normal and anomalous; choose another --anomaly")
    of_class = {label: np.flatnonzero(source.labels == label) for label in (normal, anomaly)}
    for label, indices in of_class.items():
        if not len(indices):
            present = ", ".join(map(str, np.unique(source.labels)))
            raise InputError(f"no image has label {label}; the labels are {present}")
    wanted = len(of_class[anomaly]) if contamination is None else int(len(of_class[normal]) * contamination)
    if wanted > len(of_class[anomaly]):
        raise InputError(
            f"a contamination of {contamination:g} takes {wanted} images of label {anomaly} and there are "
            f"{len(of_class[anomaly])}; lower --contamination"
        )
    random = np.random.default_rng(seed)
    drawn = random.choice(of_class[anomaly], wanted, replace=False)
    chosen = random.permutation(np.concatenate([of_class[normal], drawn]))
    return LabelledImages(source.images[chosen], source.labels[chosen])


def write_set(images: LabelledImages, folder: Path, *, anomaly: int, force: bool) -> None:
    """Writes PNG files named by their place, and labels.csv, which training never reads.

    Args:
        images: what to write.
        folder: appears when complete.
        anomaly: the label that counts as an anomaly.
        force: replace a folder that is there.

    Raises:
        OutputError: the folder exists, or cannot be written.
    """
    digits = len(str(len(images.labels) - 1))
    with (
        folder_appears_when_complete(folder, force=force, contents=(LABELS_FILE, _PICTURES)) as partial,
        (partial / LABELS_FILE).open("w", encoding="utf-8", newline="") as file,
    ):
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(LABELS_COLUMNS)
        for index, (image, label) in enumerate(zip(images.images, images.labels, strict=True)):
            name = f"{index:0{digits}}.png"
            Image.fromarray(image).save(partial / name)
            rows.writerow([name, label, str(label == anomaly).lower()])


def default_contamination(split: Split) -> float | None:
    """Returns the seed's 1 % for training, and every anomaly there is for a test."""
    return CONTAMINATION if split == "train" else None
