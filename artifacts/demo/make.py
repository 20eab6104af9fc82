"""Makes the demo artifact anew: the detector, sixteen sample images and their golden scores.

Run it with `make demo-artifact`. The model card beside this file quotes figures of the detector, and a test holds them.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from adtrain.arrays import load_demo

HERE = Path(__file__).parent
SAMPLES = {"normal": 1, "anomaly": 3}  # name of the files -> label in the bundled test set
SAMPLES_EACH = 8


def write_samples(folder: Path) -> None:
    """Writes the first images of each kind in the bundled test set."""
    folder.mkdir(exist_ok=True)
    test = load_demo("test")
    for name, label in SAMPLES.items():
        for number, index in enumerate(np.flatnonzero(test.labels == label)[:SAMPLES_EACH], start=1):
            Image.fromarray(test.images[index]).save(folder / f"{name}-{number}.png", optimize=True)


def run(command: str, *arguments: str | Path) -> None:
    """Runs one of the commands that stand beside this Python."""
    subprocess.run([Path(sys.executable).with_name(command), *arguments], check=True)  # noqa: S603 - our own commands


def main() -> None:
    """Trains with the defaults, exports, and scores the samples."""
    with tempfile.TemporaryDirectory() as scratch:
        run("adtrain", "fit", "--out", Path(scratch) / "run")
        run("adtrain", "export", Path(scratch) / "run", "--out", HERE / "detector.onnx")
    write_samples(HERE / "images")
    run("adscore", HERE / "images", "--model", HERE / "detector.onnx", "--out", HERE / "scores.csv")


if __name__ == "__main__":
    main()
