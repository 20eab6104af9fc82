"""adexport: a Keras autoencoder in, a detector file out."""

from adexport.calibration import Given, Quantile, Rule, SplitConformal
from adexport.export import Exported, draft_detector, export_detector
from adexport.parity import ParityError

__all__ = [
    "Exported",
    "Given",
    "ParityError",
    "Quantile",
    "Rule",
    "SplitConformal",
    "draft_detector",
    "export_detector",
]
