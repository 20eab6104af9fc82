"""How well the anomaly map finds the place of an anomaly, where masks tell it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from adscore.detector import Detector
from adscore.errors import ImageError, InputError
from adscore.images import decode
from adtrain.labelled import LabelledFile

_BATCH = 16


def pixel_auroc(detector: Detector, files: Sequence[LabelledFile]) -> float | None:
    """Returns the AUROC of the anomaly map over all pixels of normal images and of anomalies with a mask.

    Masks are brought to the detector's size as images are; whatever is not black then counts. None if no anomaly has a
    mask, or nothing of the masks is left at that size.

    Raises:
        InputError: a mask cannot be read.
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
    try:
        mask: NDArray[np.bool_] = decode(file.mask, replace(image, mode="L"))[..., 0] > 0
    except ImageError as error:
        raise InputError(f"{file.mask}: the mask cannot be read ({error}); repair or remove it") from error
    return mask
