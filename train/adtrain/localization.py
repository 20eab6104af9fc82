"""How well the anomaly map finds the place of an anomaly, where masks tell it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_auc_score

from adscore.detector import Detector
from adscore.errors import ImageError
from adscore.images import decode, prepare
from adtrain.labelled import LabelledFile
from adtrain.mask_image import read_mask

_BATCH = 16
_WHITE = 255


def empty_masks(files: Sequence[LabelledFile]) -> list[LabelledFile]:
    """Returns the files whose mask marks nothing; where the picture cannot be read, nothing is said of its mask.

    Raises:
        InputError: a mask cannot be read, or is of another size than its picture.
    """
    empty = []
    for file in files:
        try:
            if file.mask is not None and not read_mask(file.mask, file.path).any():
                empty.append(file)
        except ImageError:
            continue  # the picture is left out
    return empty


def pixel_auroc(detector: Detector, files: Sequence[LabelledFile]) -> float | None:
    """Returns the AUROC of the anomaly map over all pixels of normal images and of anomalies with a mask.

    Masks are brought to the detector's size as images are; what is not black then counts. None if no anomaly has a
    mask, or nothing of the masks is left at that size.

    Raises:
        InputError: a mask cannot be read, or is of another size than its picture.
    """
    if not any(file.mask for file in files):
        return None
    chosen = [file for file in files if file.mask or not file.is_anomaly]
    maps: list[NDArray[np.float32]] = []
    masks: list[NDArray[np.bool_]] = []
    for start in range(0, len(chosen), _BATCH):
        batch = chosen[start : start + _BATCH]
        images = np.stack([decode(file.path, detector.spec.image) for file in batch])
        maps.append(detector.analyze(images).anomaly_map.ravel())
        masks.extend(_mask(detector, file).ravel() for file in batch)
    truth = np.concatenate(masks)
    if not truth.any():
        return None
    return float(roc_auc_score(truth, np.concatenate(maps)))


def _mask(detector: Detector, file: LabelledFile) -> NDArray[np.bool_]:
    image = detector.spec.image
    if file.mask is None:
        return np.zeros((image.height, image.width), bool)
    marks = read_mask(file.mask, file.path).astype(np.uint8) * _WHITE
    shown: NDArray[np.bool_] = prepare(Image.fromarray(marks), replace(image, mode="L"))[..., 0] > 0
    return shown
