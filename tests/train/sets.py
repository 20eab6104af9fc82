"""Labelled sets for tests, in each form that a source may have."""

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COUNTS = {0: 30, 1: 50, 7: 20}


def labelled() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns 100 images of 8x8 whose first pixel is their number and whose second their label."""
    labels = np.random.default_rng(3).permutation(np.repeat(list(COUNTS), list(COUNTS.values()))).astype(np.uint8)
    images = np.zeros((100, 8, 8), np.uint8)
    images[:, 0, 0] = np.arange(100)
    images[:, 0, 1] = labels
    return images, labels


def npz(path: Path) -> Path:
    """Writes the set as both splits, in the layout of keras.datasets."""
    images, labels = labelled()
    np.savez(path, x_train=images, y_train=labels, x_test=images[:40], y_test=labels[:40])
    return path


def idx(folder: Path) -> Path:
    """Writes the set as MNIST is published: IDX files, one pair of them gzipped."""
    images, labels = labelled()
    for split, count, opener in (("train", 100, open), ("t10k", 40, gzip.open)):
        suffix = "" if opener is open else ".gz"
        for name, array in ((f"{split}-images-idx3-ubyte", images), (f"{split}-labels-idx1-ubyte", labels)):
            header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, count, *array.shape[1:])
            with opener(folder / (name + suffix), "wb") as file:
                file.write(header + array[:count].tobytes())
    return folder
