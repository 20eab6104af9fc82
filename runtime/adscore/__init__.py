"""adscore: scores images with a detector file on ONNX Runtime, with no training stack.

The names below load on first use, so that `import adscore` costs next to nothing and the command line starts fast.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adscore.detector import Detector as Detector
    from adscore.detector import Outputs as Outputs
    from adscore.errors import ADError as ADError
    from adscore.prediction import Prediction as Prediction
    from adscore.spec import DetectorSpec as DetectorSpec
    from adscore.spec import ImageSpec as ImageSpec

# From 1.29 ONNX Runtime's Linux builds report to their maker, start a thread for it and leave a database in the home
# folder. They read this when they are first imported, and that may be by another package.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"

_HOME = {
    "ADError": "adscore.errors",
    "Detector": "adscore.detector",
    "DetectorSpec": "adscore.spec",
    "ImageSpec": "adscore.spec",
    "Outputs": "adscore.detector",
    "Prediction": "adscore.prediction",
}

__all__ = ["ADError", "Detector", "DetectorSpec", "ImageSpec", "Outputs", "Prediction", "__version__"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'adscore' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
