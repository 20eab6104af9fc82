"""From a Keras autoencoder to the detector file: convert, score the held-out images, calibrate, compare, describe."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from adexport.calibration import Rule, calibrate
from adexport.graph import detector_function, to_onnx, with_spec
from adexport.parity import BATCH_SIZES, judge, scores_by_detector, scores_by_keras
from adexport.scoring import Scoring
from adexport.stages import stages_of
from adscore.detector import Detector
from adscore.images import Pixels
from adscore.selftest import kept_part
from adscore.spec import Calibration, DetectorSpec, ImageSpec, Parity, Reference, ScoreSpec, TrainingRecord

# The hottest pixel of one held-out image in a hundred reaches full heat in a heatmap.
MAP_SCALE_QUANTILE = 0.99

# Held-out images to test devices with, by the quantile of their score: from the most ordinary to what stands out. In
# one a fault may happen not to show.
_SELFTEST = (0.0, 0.25, 0.5, 0.75, 1.0)

_BATCH = 64
# ONNX Runtime adds up the largest hundredth, an odd number of values, in an order that depends on where they begin.
_BY_PLACE = ("top", "deviation")


@dataclass(frozen=True)
class Exported:
    """A finished detector, not yet written."""

    content: bytes  # of the .onnx file
    spec: DetectorSpec
    held_out_scores: NDArray[np.float32]  # (n,)
    keras_scores: NDArray[
        np.float64
    ]  # of the same images, (runs, n), as `adexport.parity.scores_by_keras` returns them


def draft_detector(autoencoder: Any, image: ImageSpec, scoring: Scoring, training: TrainingRecord) -> Detector:
    """Returns a detector of the converted graph that scores as the finished one will, with no calibration yet."""
    model = to_onnx(detector_function(autoencoder, image, scoring))
    return Detector(with_spec(model, _draft_spec(image, scoring, training)), provider="cpu")


def export_detector(
    autoencoder: Any,
    held_out: Pixels,
    *,
    image: ImageSpec,
    scoring: Scoring,
    training: TrainingRecord,
    rule: Rule,
    advance: Callable[[], None] = lambda: None,
) -> Exported:
    """Returns the detector file, calibrated and proven equal to the Keras model.

    Args:
        autoencoder: a `keras.Model` from float32 images in 0..1 to reconstructions of the same shape; of tiles where
            `scoring` has them.
        held_out: images that training never saw, uint8 (n, height, width, channels); may be a memory map.
        image: how images become the graph's input.
        scoring: how reconstructions become scores.
        training: where the weights come from.
        rule: how the threshold is found.
        advance: called once an image at each batch size by Keras, and again by ONNX Runtime, for a progress bar.

    Raises:
        CalibrationError: the held-out images cannot give the threshold asked for.
        ParityError: ONNX Runtime and Keras disagree.
    """
    function = detector_function(autoencoder, image, scoring)
    model = to_onnx(function)
    spec = _draft_spec(image, scoring, training)
    keras_scores = scores_by_keras(function, held_out, advance)

    def proof(draft: Detector, calibration: Calibration) -> Parity:
        scores = scores_by_detector(draft, held_out, advance)
        look = stages_of(autoencoder, scoring, draft, held_out, BATCH_SIZES)
        return judge(np.concatenate([keras_scores, scores]), calibration.threshold, look)

    return finish(model, spec, held_out, rule, keras_scores, proof)


def finish(
    model: onnx.ModelProto,
    spec: DetectorSpec,
    held_out: Pixels,
    rule: Rule,
    keras_scores: NDArray[np.float64],
    proof: Callable[[Detector, Calibration], Parity],
) -> Exported:
    """Returns the detector file of a graph: scored, calibrated, proven, described.

    Args:
        model: the graph.
        spec: a draft; what is measured is put in its place.
        held_out: uint8 (n, height, width, channels).
        rule: how the threshold is found.
        keras_scores: of the held-out images, (runs, n).
        proof: compares the detector of this graph with the Keras model.
    """
    draft = Detector(with_spec(model, spec), provider="cpu")
    scores, peaks = _score(draft, held_out)
    calibration = calibrate(rule, draft, scores)
    spec = replace(
        spec,
        calibration=calibration,
        # A model without any error still needs a scale.
        map_scale=max(float(np.quantile(peaks, MAP_SCALE_QUANTILE)), float(np.finfo(np.float32).tiny)),
        parity=proof(draft, calibration),
        selftest=tuple(kept_part(np.asarray(held_out[place]), spec.image, draft.score) for place in _spread(scores)),
    )
    content = with_spec(model, spec)
    Detector(content, provider="cpu")  # the finished file opens, and its spec is read back without complaint
    return Exported(content, spec, scores, keras_scores)


def _score(detector: Detector, images: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns each image's score and the largest value of its anomaly map, both float32 (n,)."""
    scores, peaks = [], []
    for start in range(0, len(images), _BATCH):
        outputs = detector.analyze(np.asarray(images[start : start + _BATCH]))
        scores.append(outputs.score)
        peaks.append(outputs.anomaly_map.max(axis=(1, 2)))
    return np.concatenate(scores), np.concatenate(peaks)


def _spread(scores: NDArray[np.float32]) -> list[int]:
    """Returns the places of the images whose scores are the quantiles that devices are tested with."""
    ordered = np.argsort(scores, kind="stable")
    ranks = np.unique(np.round(np.array(_SELFTEST) * (len(scores) - 1)).astype(np.int64))
    return [int(ordered[rank]) for rank in ranks]


def _draft_spec(image: ImageSpec, scoring: Scoring, training: TrainingRecord) -> DetectorSpec:
    return DetectorSpec(
        image=image,
        score=ScoreSpec(scoring.reduction, scoring.blur or None),
        calibration=Calibration("given", None, 0.0, 0, False, Reference(0, (), ())),
        map_scale=1.0,
        training=training,
        parity=Parity(0, (), 0.0, 0.0),
        selftest=(),
        alone=bool(scoring.tile) or scoring.reduction in _BY_PLACE,
    )
