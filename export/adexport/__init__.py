"""adexport: a Keras autoencoder in, a detector file out."""

from adexport.calibration import Given, Quantile, Rule, SplitConformal
from adexport.export import Exported, draft_detector, export_detector
from adexport.parity import ParityError
from adexport.scoring import Scoring, Typical
from adexport.typical import measure_typical

__all__ = [
    "Exported",
    "Given",
    "ParityError",
    "Quantile",
    "Rule",
    "Scoring",
    "SplitConformal",
    "Typical",
    "draft_detector",
    "export_detector",
    "measure_typical",
]
