"""Images to train on, read by index: arrays in memory, or files decoded when asked for, so that any number streams."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adscore.errors import ImageError, InputError
from adscore.images import Pixels, decode, prepare, read_header
from adscore.inputs import ImageFile, find_images
from adscore.spec import ImageSpec, Mode
from adtrain.arrays import load_demo, load_images
from adtrain.model import nearest_size

Indices = NDArray[np.int64]

DEMO_NAME = "the bundled demo set"
NORMAL_FOLDER = Path("train/good")  # of MVTec AD's layout


class ImageSource(Protocol):
    """Images that become `spec` one by one."""

    @property
    def spec(self) -> ImageSpec:
        """What every image becomes."""

    def __len__(self) -> int:
        """Returns the number of images."""

    def name(self, index: int) -> str:
        """Returns what to call an image in a message."""

    def read(self, index: int) -> Pixels:
        """Returns one image, uint8 (height, width, channels); raises ImageError."""


@dataclass(frozen=True)
class ArraySource:
    """Images that are in memory already."""

    images: Pixels  # (n, height, width), or (n, height, width, 3)
    spec: ImageSpec

    def __len__(self) -> int:
        return len(self.images)

    def name(self, index: int) -> str:
        """See ImageSource."""
        return f"image {index}"

    def read(self, index: int) -> Pixels:
        """See ImageSource."""
        return prepare(Image.fromarray(self.images[index]), self.spec)


@dataclass(frozen=True)
class FileSource:
    """Images in files, decoded as the scorer decodes them."""

    files: Sequence[ImageFile]
    spec: ImageSpec

    def __len__(self) -> int:
        return len(self.files)

    def name(self, index: int) -> str:
        """See ImageSource."""
        return self.files[index].name

    def read(self, index: int) -> Pixels:
        """See ImageSource."""
        return decode(self.files[index].location, self.spec)


@dataclass(frozen=True)
class Survey:
    """What one pass over all images found."""

    readable: Indices  # indices, ascending
    faults: tuple[str, ...]  # "name: cause" of each image that cannot be read
    fingerprint: str  # "sha256:" over the pixels of the readable images in order


def open_source(
    data: str | None, *, size: tuple[int, int] | None, mode: Mode | None, filters: tuple[int, ...]
) -> ImageSource:
    """Returns the images that `data` names, at the size and in the mode they will be trained at.

    Args:
        data: folder of images (its train/good, where it has one), `.npz`, IDX file, or None: the bundled demo set.
        size: (width, height); by default the images' own, moved to the nearest that fits the network.
        mode: by default "L" if the images are grey, else "RGB".
        filters: the network's; they decide which sizes fit.

    Raises:
        InputError: there are no images, or their sizes differ and none is given.
    """
    if data is not None and Path(data).is_dir():
        nested = Path(data) / NORMAL_FOLDER
        files = list(find_images([str(nested if nested.is_dir() else data)]))
        width, height, found = _common_header(data, files)
        return FileSource(files, _spec(width, height, found, size=size, mode=mode, filters=filters))
    if data is None:
        images = load_demo("train").images
    elif Path(data).is_file():
        images = load_images(Path(data))
    else:
        raise InputError(f"{data}: no such file or folder; give a folder of images, a .npz, or an IDX file")
    height, width = images.shape[1:3]
    return ArraySource(
        images, _spec(width, height, "L" if images.ndim == 3 else "RGB", size=size, mode=mode, filters=filters)
    )


def reopen_source(data: str | None, spec: ImageSpec) -> ImageSource:
    """Returns the images that `data` names as `spec` says, to read once more what a run was trained on."""
    return open_source(data, size=(spec.width, spec.height), mode=spec.mode, filters=())


def survey(source: ImageSource, advance: Callable[[], None] = lambda: None) -> Survey:
    """Reads every image once and returns which can be read, and the fingerprint of their pixels."""
    readable, faults, digest = [], [], hashlib.sha256()
    for index in range(len(source)):
        try:
            digest.update(source.read(index).tobytes())
            readable.append(index)
        except ImageError as error:
            faults.append(f"{source.name(index)}: {error}")
        advance()
    return Survey(np.array(readable, np.int64), tuple(faults), f"sha256:{digest.hexdigest()}")


def read_batch(source: ImageSource, indices: Indices) -> Pixels:
    """Returns the images at `indices` in order, uint8 (n, height, width, channels).

    Raises:
        InputError: an image cannot be read any more.
    """
    images = np.empty((len(indices), *source.spec.shape), np.uint8)
    for row, index in enumerate(indices.tolist()):
        try:
            images[row] = source.read(index)
        except ImageError as error:
            raise InputError(
                f"{source.name(index)}: cannot be read any more ({error}); bring it back, or start again"
            ) from error
    return images


def read_batches(source: ImageSource, indices: Indices, size: int = 64) -> Iterator[Pixels]:
    """Yields the images at `indices` in order, as `read_batch` does, up to `size` at a time."""
    for start in range(0, len(indices), size):
        yield read_batch(source, indices[start : start + size])


def _common_header(data: str, files: Sequence[ImageFile]) -> tuple[int, int, Mode]:
    """Returns (width, height, mode): the size that all files share, or 0x0 if there is none; colour if one has it."""
    sizes: set[tuple[int, int]] = set()
    modes: set[Mode] = set()
    for file in files:
        try:
            width, height, mode = read_header(file.location)
        except ImageError:
            continue  # the survey will name it
        sizes.add((width, height))
        modes.add(mode)
    if not sizes:
        raise InputError(f"{data}: none of the {len(files)} images can be read; give a folder of images")
    width, height = sizes.pop() if len(sizes) == 1 else (0, 0)
    return width, height, "RGB" if "RGB" in modes else "L"


def _spec(
    width: int, height: int, found: Mode, *, size: tuple[int, int] | None, mode: Mode | None, filters: tuple[int, ...]
) -> ImageSpec:
    if size is None:
        if not width:
            raise InputError("the images differ in size; choose one for all of them with --size, e.g. --size 128x128")
        height, width = nearest_size(height, width, filters)
    else:
        width, height = size
    return ImageSpec(width, height, mode or found)
