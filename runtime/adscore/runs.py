"""Prepared images through the graph: several in a run, or each in a run of its own."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adscore.errors import ModelError
from adscore.images import Pixels
from adscore.model_file import INPUT
from adscore.session import onnxruntime_faults
from adscore.spec import DetectorSpec, ImageSpec

# The fastest batches are those whose layers stay in the processor's caches: 32 images of 28x28, 8 of 128x128, 2 of
# 256x256; memory grows with them too.
_MOST_IMAGES, _MOST_PIXELS = 32, 1 << 17


class Runs:
    """What the graph computes, the same to the bit whatever is beside an image and wherever it stands.

    Args:
        session: an ONNX Runtime session over the detector's graph.
        spec: what the file says of itself.
    """

    def __init__(self, session: Any, spec: DetectorSpec) -> None:
        self._session = session
        # Files from before the key have tiles among their settings.
        self._alone = spec.alone or bool(spec.training.settings.get("tile"))

    def outputs(self, names: list[str], batch: Pixels, count: int) -> list[NDArray[np.float32]]:
        """Returns these outputs of the first `count` images.

        Args:
            names: of the outputs.
            batch: uint8 (at least count, height, width, channels); what is more fills it up to a size that was run
                before, for which ONNX Runtime has its memory laid out.
            count: images to answer for.

        Raises:
            ModelError: the graph cannot run, or does not give one score an image.
        """
        if not self._alone or not count:
            return [result[:count] for result in self._run(names, batch)]
        runs = [self._run(names, batch[place : place + 1]) for place in range(count)]
        return [np.concatenate(results) for results in zip(*runs, strict=True)]

    def _run(self, names: list[str], batch: Pixels) -> list[NDArray[np.float32]]:
        step = "take a smaller batch size, another provider, or export the detector again"
        with onnxruntime_faults("the detector cannot run", step):
            results: list[NDArray[np.float32]] = self._session.run(names, {INPUT: batch})
        if results[0].shape != (len(batch),) or any(len(result) != len(batch) for result in results):
            raise ModelError("the graph does not give one score an image; export the detector again")
        return results


def suitable_batch(image: ImageSpec) -> int:
    """Returns how many images of this size are best prepared and run together."""
    return max(1, min(_MOST_IMAGES, _MOST_PIXELS // (image.width * image.height)))


def batches(images: Pixels, size: int) -> Iterator[tuple[Pixels, int]]:
    """Yields (batch, number of images in it); with more than one batch, the last is padded to the size of the rest."""
    for start in range(0, len(images), size):
        batch = images[start : start + size]
        count = len(batch)
        if start and count < size:
            batch = np.concatenate([batch, np.zeros((size - count, *batch.shape[1:]), np.uint8)])
        yield batch, count
