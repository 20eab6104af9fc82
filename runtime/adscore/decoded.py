"""A batch of files as pixels, before it is scored."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adscore.errors import ImageError
from adscore.images import Limits, Pixels, decode_noting
from adscore.original import Original, remarks_on
from adscore.spec import DetectorSpec


class Decoded(NamedTuple):
    """A batch of files, decoded."""

    images: Pixels  # (n, height, width, channels), black where there is none
    errors: dict[int, str]  # the reason why there is none, by place in the batch
    noted: dict[int, Original]  # what those were of which there is something to remark


def decode_batch(paths: Sequence[str | Path], spec: DetectorSpec, limits: Limits, *, padded_to: int) -> Decoded:
    """Returns files as the graph takes them.

    Args:
        paths: image files.
        spec: of the detector.
        limits: how large file and image may be.
        padded_to: so many images at least, black ones behind.
    """
    images = np.zeros((max(len(paths), padded_to), *spec.image.shape), np.uint8)
    errors: dict[int, str] = {}
    noted: dict[int, Original] = {}
    usual: Original | None = None  # most are like the one before, which is quickly told
    for place, path in enumerate(paths):
        try:
            images[place], original = decode_noting(path, spec.image, limits)
        except ImageError as error:
            errors[place] = str(error)
            continue
        if original == usual:
            continue
        if remarks_on(original, spec):
            noted[place] = original
        else:
            usual = original
    return Decoded(images, errors, noted)
