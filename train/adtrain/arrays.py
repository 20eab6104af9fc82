"""Images that come as arrays: `.npz` in the layout of keras.datasets, and IDX files as MNIST is published."""

import gzip
import math
import struct
import sys
import zipfile
import zlib
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from adscore.errors import InputError
from adscore.files import check_regular
from adscore.images import Pixels
from adtrain.quiet import import_tensorflow

Split = Literal["train", "test"]

DATASETS = ("mnist", "fashion-mnist")
DEMO = "demo"

# The images of the bundled demo set; NOTICE names their source.
_DEMO_FILE = Path(__file__).with_name("demo.npz")

# What numpy, zipfile and gzip raise on files that are cut, damaged or encrypted, or claim more than there is room for.
_READ_FAULTS = (
    OSError, ValueError, EOFError, RuntimeError, MemoryError, OverflowError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip

_IDX_SPLITS = {"train": "train", "test": "t10k"}
_IDX_UINT8 = 0x08


@dataclass(frozen=True)
class LabelledImages:
    """Images with the class each belongs to."""

    images: Pixels  # (n, height, width), or (n, height, width, 3)
    labels: NDArray[np.int64]  # (n,)


def load_demo(split: Split) -> LabelledImages:
    """Returns a split of the bundled demo set: ones with a few threes; see `adtrain dataset`."""
    return _from_npz(_DEMO_FILE, split)


def load_labelled(source: str, split: Split) -> LabelledImages:
    """Returns the images and labels of a source.

    Args:
        source: a `.npz` with x_train, y_train, x_test, y_test; an IDX images file with its labels file beside it, or
            the folder that holds such pairs; "mnist" or "fashion-mnist" (downloaded by keras.datasets); "demo".
        split: which half; an IDX images file is its own split.

    Raises:
        InputError: the source is not there, or is not what its name says.
    """
    if source == DEMO:
        return load_demo(split)
    if source in DATASETS:
        return _downloaded(source, split)
    path = Path(source)
    if not path.exists():
        raise InputError(f"{source}: no such file or folder; give a .npz, an IDX file, or {', '.join(DATASETS)}")
    if path.suffix.lower() == ".npz":
        return _from_npz(path, split)
    if path.is_dir():
        found = sorted(path.glob(f"{_IDX_SPLITS[split]}-images*idx3*"))
        if not found:
            raise InputError(
                f"{source}: no {_IDX_SPLITS[split]}-images-idx3-ubyte in this folder; give a .npz or IDX file"
            )
        path = found[0]
    labels = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    return _checked(source, read_idx(path), read_idx(labels))


def load_images(path: Path) -> Pixels:
    """Returns the training images of a `.npz` (x_train, or its only array) or of an IDX file, labels unread.

    Raises:
        InputError: as `load_labelled`.
    """
    if path.suffix.lower() != ".npz":
        return _as_images(str(path), read_idx(path))
    with _open_npz(path) as arrays:
        names = [name for name in arrays.files if name == "x_train"] or arrays.files
        if len(names) != 1:
            raise InputError(f"{path}: holds {', '.join(names)} and no x_train; name the array to train on x_train")
        return _as_images(str(path), _read_array(path, arrays, names[0]))


def read_idx(path: Path) -> NDArray[Any]:
    """Returns the array of an IDX file of uint8, gzipped or not.

    Raises:
        InputError: the file cannot be read, or is no IDX file of uint8.
    """
    fault = InputError(f"{path}: no IDX file of uint8; give a folder of images, a .npz, or an IDX file")
    try:
        check_regular(path)
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            kind = file.read(4)
            if len(kind) < 4 or kind[:2] != b"\0\0" or kind[2] != _IDX_UINT8:
                raise fault
            sides = file.read(4 * kind[3])
            if len(sides) < 4 * kind[3]:
                raise fault
            shape = struct.unpack(f">{kind[3]}I", sides)
            # No more than it says and one byte: a small file may unpack to any size.
            content = file.read(math.prod(shape) + 1)
    except _READ_FAULTS as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if len(content) != math.prod(shape):
        raise fault
    return np.frombuffer(content, np.uint8).reshape(shape)


def _from_npz(path: Path, split: Split) -> LabelledImages:
    with _open_npz(path) as arrays:
        missing = [name for name in (f"x_{split}", f"y_{split}") if name not in arrays.files]
        if missing:
            raise InputError(f"{path}: holds no {' and no '.join(missing)}; the layout is that of keras.datasets")
        return _checked(str(path), _read_array(path, arrays, f"x_{split}"), _read_array(path, arrays, f"y_{split}"))


def _open_npz(path: Path) -> Any:
    try:
        check_regular(path)
        arrays = np.load(path)
        if not hasattr(arrays, "files"):
            raise ValueError("a single array")
        return arrays
    except _READ_FAULTS as error:
        raise InputError(f"{path}: cannot be read as .npz ({error})") from error


def _read_array(path: Path, arrays: Any, name: str) -> NDArray[Any]:
    try:
        return np.asarray(arrays[name])
    except _READ_FAULTS as error:
        raise InputError(f"{path}: its array {name} cannot be read ({error})") from error


def _downloaded(name: str, split: Split) -> LabelledImages:
    import_tensorflow()
    import keras

    dataset = {"mnist": keras.datasets.mnist, "fashion-mnist": keras.datasets.fashion_mnist}[name]
    try:
        with redirect_stdout(sys.stderr):  # where Keras tells of its download
            pairs = dict(zip(("train", "test"), dataset.load_data(), strict=True))
    except Exception as error:
        raise InputError(
            f"{name}: cannot be downloaded by keras.datasets ({error}); it takes internet the first time. "
            "Give a .npz file, or use the bundled set: demo"
        ) from error
    return _checked(name, *pairs[split])


def _checked(source: str, images: NDArray[Any], labels: NDArray[Any]) -> LabelledImages:
    images = _as_images(source, images)
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
        raise InputError(
            f"{source}: {len(images)} images need as many whole-number labels, not {labels.shape} {labels.dtype}"
        )
    return LabelledImages(images, labels.astype(np.int64))


def _as_images(source: str, array: NDArray[Any]) -> Pixels:
    grey_or_rgb = array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3))
    if array.dtype != np.uint8 or not grey_or_rgb or 0 in array.shape:
        raise InputError(
            f"{source}: images must be uint8 of shape (n, height, width), or with 1 or 3 channels behind, "
            f"and these are {array.dtype} of shape {array.shape}"
        )
    return array[..., 0] if array.ndim == 4 and array.shape[3] == 1 else array
