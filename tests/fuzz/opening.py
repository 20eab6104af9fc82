"""What a process of its own does with bytes that may be a detector; it may die of them, which is what is asked."""

import numpy as np

from adscore.detector import Detector
from adscore.errors import ADError, printable


def open_and_score(content: bytes) -> str:
    """Returns "scores", "no numbers", or the message that a command would print."""
    try:
        detector = Detector(content, provider="cpu", threads=1)
        scores = detector.score(np.zeros((2, *detector.spec.image.shape), np.uint8))
    except ADError as error:
        return printable(str(error))
    return "scores" if np.isfinite(scores).all() else "no numbers"
