"""What the rows of a table depend on, in the user's words: a run that goes on must have the same."""

import os
from collections.abc import Sequence

import PIL

from adscore import __version__
from adscore.detector import Detector
from adscore.file_names import as_utf8


def settings_of(
    detector: Detector, images: Sequence[str], *, threshold: float | None, fpr: float | None, fdr: float | None
) -> dict[str, str]:
    """Returns each thing by what to call it in a message.

    Args:
        detector: the opened detector.
        images: the inputs as given; their places count, since names in a table are relative.
        threshold: as given.
        fpr: as given.
        fdr: as given.
    """
    import onnxruntime  # not above: the session loads it first, and with less in it

    return {
        "the detector": f"one with SHA-256 {detector.digest[:12]}",
        "the input": as_utf8(", ".join(map(os.path.abspath, images))),
        "--threshold": _given(threshold),
        "--fpr": _given(fpr),
        "--fdr": _given(fdr),
        "the provider": detector.provider,
        "what images may measure": f"{detector.limits.pixels} pixels in {detector.limits.bytes} bytes",
        "the software": f"adscore {__version__}, ONNX Runtime {onnxruntime.__version__}, Pillow {PIL.__version__}",
    }


def _given(value: float | None) -> str:
    return "not given" if value is None else str(value)
