"""What the values of a graph are on calibration images: their ranges, channel by channel, and their means."""

from collections.abc import Iterator, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from adscore.images import Pixels
from adscore.model_file import INPUT
from adscore.session import open_session

# Ranges and means settle with a few hundred images, or with some million pixels.
IMAGES = 512
_PIXELS = 4_000_000
_BATCH = 16
_BATCH_PIXELS = 65_536

Values = NDArray[np.float64]


def spread(images: Pixels) -> list[Pixels]:
    """Returns batches of some of the images, spread evenly over them: at most 512, and fewer large ones.

    Args:
        images: uint8 (n, height, width, channels).
    """
    pixels = images.shape[1] * images.shape[2]
    wanted = max(1, min(IMAGES, _PIXELS // pixels))
    chosen = images[:: max(1, -(-len(images) // wanted))]
    size = max(1, min(_BATCH, _BATCH_PIXELS // pixels))
    return [np.asarray(chosen[start : start + size]) for start in range(0, len(chosen), size)]


def ranges(model: onnx.ModelProto, names: Sequence[str], batches: Sequence[Pixels]) -> dict[str, tuple[Values, Values]]:
    """Returns the lowest and the highest value of each channel, both (channels,), by name.

    Zero lies in every range, since convolutions pad with it.

    Args:
        model: the graph.
        names: values of it, of shape (n, channels, height, width).
        batches: as `spread` returns them.
    """
    found: dict[str, tuple[Values, Values]] = {}
    for values in _observed(model, names, batches):
        for name, value in values.items():
            lowest, highest = found.get(name, (0.0, 0.0))
            lowest = np.minimum(lowest, value.min(axis=(0, 2, 3)))
            found[name] = lowest, np.maximum(highest, value.max(axis=(0, 2, 3)))
    return found


def means(model: onnx.ModelProto, names: Sequence[str], batches: Sequence[Pixels]) -> dict[str, Values]:
    """Returns the mean over the images of each value, of shape (1, ...), by name."""
    sums: dict[str, Values] = {}
    counts = dict.fromkeys(names, 0)
    for values in _observed(model, names, batches):
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + value.sum(axis=0, keepdims=True, dtype=np.float64)
            counts[name] += len(value)
    return {name: sums[name] / counts[name] for name in names}


def _observed(
    model: onnx.ModelProto, names: Sequence[str], batches: Sequence[Pixels]
) -> Iterator[dict[str, NDArray[np.float32]]]:
    """Yields the values of each batch by name."""
    if not names:
        return
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    del shown.graph.output[:]
    shown.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in sorted(set(names))
    )
    session = open_session(shown.SerializeToString(), "cpu", None).session
    outputs = [output.name for output in session.get_outputs()]
    for batch in batches:
        yield dict(zip(outputs, session.run(None, {INPUT: batch}), strict=True))
