"""What the checks of `make test-faults` work with, and what they find."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
DETECTOR = ROOT / "artifacts" / "demo" / "detector.onnx"
DEMO_IMAGES = ROOT / "artifacts" / "demo" / "images"
SEED = 20261125


@dataclass(frozen=True)
class Setting:
    """What the checks work with."""

    folder: Path  # theirs to write to
    pictures: tuple[Path, ...]  # sound ones
    pngsuite: Path | None
    images: int  # damaged pictures to make
    detectors: int  # damaged detectors to make
    files: int  # sound pictures for the runs that are killed
    kills: int  # of runs
    stops: int  # of watches


@dataclass(frozen=True)
class Finding:
    """What came of a check."""

    promise: str
    held: bool | None  # None: it could not be tried here
    figures: dict[str, int | float | str]
