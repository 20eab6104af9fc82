"""Images to train on, read by index: arrays in memory, or files decoded when asked for, so that any number streams."""

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adscore.errors import ImageError, InputError
from adscore.images import Pixels, decode, prepare
from adscore.inputs import ImageFile, Inputs
from adscore.original import Original, pictures_of
from adscore.spec import ImageSpec, Mode, Pictures
from adtrain.arrays import load_demo, load_images
from adtrain.normal_images import choose
from adtrain.originals import MOST_BITS, originals_of
from adtrain.selection import BY_NAMES, Selection

Indices = NDArray[np.int64]

DEMO_NAME = "the bundled demo set"
# Decoded training images are kept in memory up to this many bytes; the rest is decoded whenever it is needed.
ROOM = 256 * 2**20
# A network may need a thousand times the memory of the picture it is given.
_BATCH, _BATCH_PIXELS = 64, 2**20


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

    @property
    def own_size(self) -> tuple[int, int]:
        """(width, height) before that."""
        return self.images.shape[2], self.images.shape[1]

    @property
    def pictures(self) -> Pictures:
        """What the images were before."""
        width, height = self.own_size
        return pictures_of([Original(width, height, "L" if self.images.ndim == 3 else "RGB", 8, None)])

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
    pictures: Pictures  # what the images were before
    own_size: tuple[int, int]  # (width, height) before, the median

    def __len__(self) -> int:
        return len(self.files)

    def name(self, index: int) -> str:
        """See ImageSource."""
        return self.files[index].name

    def read(self, index: int) -> Pixels:
        """See ImageSource."""
        return decode(self.files[index].location, self.spec)


class KeptSource:
    """Images of another source, kept in memory once they were read, as long as there is room."""

    def __init__(self, source: ImageSource, room: int) -> None:
        self.spec = source.spec
        self._source = source
        self._kept: dict[int, Pixels] = {}
        self._most = room // math.prod(source.spec.shape)

    def __len__(self) -> int:
        return len(self._source)

    def name(self, index: int) -> str:
        """See ImageSource."""
        return self._source.name(index)

    def read(self, index: int) -> Pixels:
        """See ImageSource."""
        image = self._kept.get(index)
        if image is None:
            image = self._source.read(index)
            if len(self._kept) < self._most:
                self._kept[index] = image
        return image


@dataclass(frozen=True)
class Survey:
    """What one pass over all images found."""

    readable: Indices  # indices, ascending
    faults: tuple[str, ...]  # "name: cause" of each image that cannot be read
    fingerprint: str  # "sha256:" over the pixels of the readable images in order
    varied: bool  # whether any two of them differ


def open_source(
    data: str | None,
    *,
    size: tuple[int, int] | None,
    mode: Mode | None,
    fit_size: Callable[[int, int], tuple[int, int]] = lambda width, height: (width, height),
    jpeg: Literal["full", "reduced"] = "reduced",
    bits: int | None = None,
    selection: Selection = BY_NAMES,
    notify: Callable[[str], None] = lambda _: None,
) -> ArraySource | FileSource:
    """Returns the images that `data` names, at the size and in the mode they will be trained at.

    Args:
        data: folder of images, `.npz`, IDX file, or None: the bundled demo set.
        size: (width, height); by default the images' own, the median where they differ, changed by `fit_size`.
        mode: by default "L" if the images are grey, else "RGB".
        fit_size: from the images' (width, height) to the nearest that fits the network.
        jpeg: as in `ImageSpec`.
        bits: as in `ImageSpec`; by default what holds the largest sample of all 16-bit images together.
        selection: which of the images in a folder.
        notify: takes the lines that tell which images of a folder these are, and what was passed over.

    Raises:
        InputError: there are no images, or which are normal is not certain.
    """
    if data is not None and Path(data).is_dir():
        inputs = Inputs([data], hidden=selection.hidden)
        every = list(inputs)
        for line in inputs.passed_over():  # first: a refusal may be for want of what is hidden
            notify(line)
        choice = choose(data, [file.name for file in every], selection)
        for line in choice.lines:
            notify(line)
        files = [every[index] for index in choice.taken]
        found = originals_of(data, files, bits=bits)
        spec = ImageSpec(*(size or fit_size(found.width, found.height)), mode or found.mode, jpeg=jpeg, bits=found.bits)
        return FileSource(files, spec, found.pictures, (found.width, found.height))
    if data is None:
        images = load_demo("train").images
    elif Path(data).is_file():
        images = load_images(Path(data))
    else:
        raise InputError(f"{data}: no such file or folder; give a folder of images, a .npz, or an IDX file")
    height, width = images.shape[1:3]
    own: Mode = "L" if images.ndim == 3 else "RGB"
    spec = ImageSpec(*(size or fit_size(width, height)), mode or own, jpeg=jpeg, bits=bits or MOST_BITS)
    return ArraySource(images, spec)


def reopen_source(data: str | None, spec: ImageSpec, selection: Selection = BY_NAMES) -> ImageSource:
    """Returns the images that `data` names as `spec` says, to read once more what a run was trained on."""
    size = (spec.width, spec.height)
    return open_source(data, size=size, mode=spec.mode, jpeg=spec.jpeg, bits=spec.bits, selection=selection)


def survey(source: ImageSource, advance: Callable[[], None] = lambda: None) -> Survey:
    """Reads every image once and returns which can be read, and the fingerprint of their pixels."""
    readable, faults, digest, first, varied = [], [], hashlib.sha256(), b"", False
    for index in range(len(source)):
        try:
            pixels = source.read(index).tobytes()
            digest.update(pixels)
            readable.append(index)
            first = first or pixels
            varied = varied or pixels != first
        except ImageError as error:
            faults.append(f"{source.name(index)}: {error}")
        advance()
    return Survey(np.array(readable, np.int64), tuple(faults), f"sha256:{digest.hexdigest()}", varied)


def read_image(source: ImageSource, index: int) -> Pixels:
    """Returns one image that the survey could read, uint8 (height, width, channels).

    Raises:
        InputError: it cannot be read any more.
    """
    try:
        return source.read(index)
    except ImageError as error:
        raise InputError(
            f"{source.name(index)}: cannot be read any more ({error}); bring it back, or start again"
        ) from error


def read_batches(source: ImageSource, indices: Indices) -> Iterator[Pixels]:
    """Yields the images at `indices` in order, uint8 (n, height, width, channels), the fewer at a time the larger.

    Raises:
        InputError: an image cannot be read any more.
    """
    size = max(1, min(_BATCH, _BATCH_PIXELS // (source.spec.height * source.spec.width)))
    for start in range(0, len(indices), size):
        yield np.stack([read_image(source, index) for index in indices[start : start + size].tolist()])
