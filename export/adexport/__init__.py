"""adexport: a Keras autoencoder in, a detector file out."""

from adexport.calibration import Given, Quantile, Rule, SplitConformal
from adexport.export import Exported, draft_detector, export_detector
from adexport.int8 import Change, DegradedError, export_int8
from adexport.parity import ParityError
from adexport.scoring import Scoring, Typical
from adexport.typical import measure_typical

__all__ = [
    "Change",
    "DegradedError",
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
    "export_int8",
    "measure_typical",
]
