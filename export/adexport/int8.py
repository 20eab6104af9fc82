"""From the float detector to its int8 counterpart: quantized, calibrated anew, and compared image by image."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from adexport.calibration import Rule
from adexport.export import Exported, finish
from adexport.graph import detector_function, to_onnx
from adexport.parity import BATCH_SIZES, largest_difference, scores_by_detector
from adexport.quantize import quantized
from adexport.rewrites import INT8_RULES
from adexport.scoring import Scoring
from adscore.calibration import is_anomaly
from adscore.detector import Detector
from adscore.errors import ADError
from adscore.images import Pixels
from adscore.spec import Calibration, Parity

# More held-out images than this share with another label is more than an approximation.
MAX_FLIPS = 0.005


class DegradedError(ADError):
    """The int8 detector decides too differently from the float one."""


@dataclass(frozen=True)
class Change:
    """What int8 changes on the held-out images, each detector at its own threshold."""

    images: int
    correlation: float  # of the scores, Pearson's; 1 where scores do not vary
    flips: int  # images with another label
    size: float  # of the file, as a share of the float detector's

    @property
    def is_degraded(self) -> bool:
        """Whether more labels flip than an approximation may."""
        return self.flips > MAX_FLIPS * self.images


def export_int8(
    exported: Exported,
    autoencoder: Any,
    held_out: Pixels,
    *,
    scoring: Scoring,
    rule: Rule,
    allow_degraded: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> tuple[Exported, Change]:
    """Returns the int8 detector, with its own threshold, calibration and map scale, and what int8 changed.

    Args:
        exported: the float detector of the same weights and rule, and Keras' scores.
        autoencoder: the `keras.Model` it came from.
        held_out: the images it was calibrated on, uint8 (n, height, width, channels).
        scoring: how reconstructions become scores.
        rule: how the threshold is found.
        allow_degraded: accept any number of flips.
        advance: called once an image at each batch size while ONNX Runtime is compared with Keras, for a progress bar.

    Raises:
        CalibrationError: the held-out images cannot give the threshold asked for.
        DegradedError: more than one label in 200 flips on the held-out images.
    """
    function = detector_function(autoencoder, exported.spec.image, scoring)
    model = quantized(to_onnx(function, INT8_RULES), held_out)
    before = is_anomaly(exported.held_out_scores, exported.spec.calibration.threshold)

    def proof(draft: Detector, calibration: Calibration) -> Parity:
        scores = scores_by_detector(draft, held_out, advance)
        agree = before == is_anomaly(scores[0], calibration.threshold)
        difference = largest_difference(np.concatenate([exported.keras_scores, scores]))
        return Parity(len(held_out), BATCH_SIZES, difference, float(np.mean(agree)))

    spec = replace(exported.spec, precision="int8")
    result = finish(model, spec, held_out, rule, exported.keras_scores, proof)
    flips = int((before != is_anomaly(result.held_out_scores, result.spec.calibration.threshold)).sum())
    change = Change(
        len(held_out),
        _correlation(exported.held_out_scores, result.held_out_scores),
        flips,
        len(result.content) / len(exported.content),
    )
    if change.is_degraded and not allow_degraded:
        raise DegradedError(
            f"in int8 {flips} of {change.images} held-out images get another label, and {MAX_FLIPS:.1%} may; nothing "
            "was written. Use the float detector, or accept it with --allow-degraded"
        )
    return result, change


def _correlation(before: Any, after: Any) -> float:
    if len(before) < 2 or np.ptp(before) == 0 or np.ptp(after) == 0:
        return 1.0
    return float(np.corrcoef(before.astype(np.float64), after.astype(np.float64))[0, 1])
