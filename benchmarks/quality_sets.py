"""The sets of `make bench-quality`: what is trained on and what is tested on, each from its own source.

MNIST, Fashion-MNIST, paper and screws are read from a folder that the user names; solar cells come with the package
`elpv-dataset`, where it is installed. A set whose source is missing is left out of the tables.
"""

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adtrain.arrays import load_demo, load_labelled
from adtrain.dataset import unsupervised_set

PAPERS = ("PA_BDP01_TL", "PA_FLR01_TL", "PA_GLA01_TL")
# A cell is sound at a defect probability of 0, defective above a half; between them experts did not agree.
_SOUND, _DEFECTIVE = 0.0, 0.5


@dataclass(frozen=True)
class Prepared:
    """A set on disk: what to give `adtrain fit` and `adtrain evaluate`."""

    train: Path
    test: Path


@dataclass(frozen=True)
class QualitySet:
    """A set by name; `prepare` writes it below a folder."""

    name: str
    group: str
    prepare: Callable[[Path], Prepared]


def quality_sets(data: Path | None) -> list[QualitySet]:
    """Returns the sets whose sources are there, cheap groups first."""
    sets = [QualitySet("demo 1 %", "demo", partial(_polluted, data, 0.01)),
            QualitySet("demo clean", "demo", partial(_polluted, data, 0.0))]  # fmt: skip
    if data is not None and (data / "mnist.npz").is_file():
        sets += [QualitySet(f"demo {share:.0%}", "demo", partial(_polluted, data, share)) for share in (0.05, 0.1)]
    if data is not None and (data / "paper").is_dir():
        sets += [QualitySet(f"paper {name}", "paper", partial(_folder, data / "paper" / name)) for name in PAPERS]
        sets += [
            QualitySet(f"paper {name}, varied light", "varied light", partial(_varied_light, data / "paper" / name))
            for name in PAPERS
        ]
    if data is not None and (data / "screws").is_dir():
        sets.append(QualitySet("screws", "screws", partial(_folder, data / "screws")))
    if find_spec("elpv_dataset"):
        sets.append(QualitySet("elpv", "elpv", _solar_cells))
    for name, group in (("mnist", "MNIST"), ("fashion-mnist", "Fashion-MNIST")):
        if data is not None and (data / f"{name}.npz").is_file():
            file = str(data / f"{name}.npz")
            sets += [QualitySet(f"{group} {label}", group, partial(_one_class, file, label)) for label in range(10)]
    return sets


def _polluted(data: Path | None, contamination: float, folder: Path) -> Prepared:
    source = load_demo("train")
    if contamination > 0.01:
        source = load_labelled(str((data or Path()) / "mnist.npz"), "train")
    chosen = unsupervised_set(source, normal=1, anomaly=3, contamination=contamination, seed=42)
    test = load_demo("test")
    return Prepared(
        _train_file(folder, chosen.images),
        # Anomalies are to be found among the training images themselves, where there are any.
        _labelled(folder, chosen.images, chosen.labels == 3)
        if contamination
        else _labelled(folder, test.images, test.labels == 3),
    )


def _one_class(file: str, label: int, folder: Path) -> Prepared:
    train, test = load_labelled(file, "train"), load_labelled(file, "test")
    return Prepared(
        _train_file(folder, train.images[train.labels == label]),
        _labelled(folder, test.images, test.labels != label),
    )


def _folder(source: Path, folder: Path) -> Prepared:  # noqa: ARG001 - one signature for all
    return Prepared(source, source)


def _varied_light(source: Path, folder: Path) -> Prepared:
    random = np.random.default_rng(7)
    for file in sorted(source.rglob("*.png")):
        pixels = np.asarray(Image.open(file))
        height, width = pixels.shape[:2]
        lit = np.rint(pixels * _light(height, width, random)[..., np.newaxis]).astype(np.uint8)
        place = folder / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(lit).save(place, compress_level=1)
    return Prepared(folder, folder)


def _light(height: int, width: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Returns light at random, (height, width) in 0..1: a gradient in some direction, a vignette, an exposure."""
    down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    angle = random.uniform(0, 2 * np.pi)
    along = down * np.sin(angle) + across * np.cos(angle)
    gradient = 0.4 + 0.6 * (along - along.min()) / np.ptp(along)
    middle = random.uniform(0.2, 0.8, 2)
    distance = (down - middle[0]) ** 2 + (across - middle[1]) ** 2
    vignette = 1 - random.uniform(0, 0.5) * distance / distance.max()
    light: NDArray[np.float64] = gradient * vignette * random.uniform(0.6, 1.0)
    return light


def _solar_cells(folder: Path) -> Prepared:
    import elpv_dataset

    root = Path(elpv_dataset.__file__).parent / "data"
    with (root / "labels.csv").open(encoding="utf-8") as file:
        rows = [(row[0], float(row[1])) for row in csv.reader(file, delimiter=" ", skipinitialspace=True)]
    sound = [name for name, chance in rows if chance == _SOUND]
    order = np.random.default_rng(42).permutation(len(sound))
    two_thirds = 2 * len(sound) // 3
    parts = {
        "train/good": [sound[index] for index in order[:two_thirds]],
        "test/good": [sound[index] for index in order[two_thirds:]],
        "test/defective": [name for name, chance in rows if chance > _DEFECTIVE],
    }
    for part, names in parts.items():
        (folder / part).mkdir(parents=True)
        for name in names:
            shutil.copy(root / name, folder / part)
    return Prepared(folder, folder)


def _train_file(folder: Path, images: NDArray[np.uint8]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "train.npz", x_train=images)
    return folder / "train.npz"


def _labelled(folder: Path, images: NDArray[np.uint8], is_anomaly: NDArray[np.bool_]) -> Path:
    for kind in ("good", "anomaly"):
        (folder / "test" / kind).mkdir(parents=True)
    for index, (image, anomalous) in enumerate(zip(images, is_anomaly.tolist(), strict=True)):
        Image.fromarray(image).save(
            folder / "test" / ("anomaly" if anomalous else "good") / f"{index:06}.png", compress_level=1
        )
    return folder / "test"
