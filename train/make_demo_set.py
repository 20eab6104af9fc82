"""Makes the bundled demo set from MNIST: python train/make_demo_set.py mnist.npz.

Ones polluted with 1 % threes to train on, and all ones and threes of the test split, in the layout of keras.datasets.
"""

import sys
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np

from adtrain.arrays import load_labelled
from adtrain.dataset import default_contamination, unsupervised_set

TARGET = Path(__file__).parent / "adtrain" / "demo.npz"


def main(source: str) -> None:
    """Writes demo.npz; the same source gives the same bytes."""
    with zipfile.ZipFile(TARGET, "w") as archive:
        for split in ("train", "test"):
            chosen = unsupervised_set(
                load_labelled(source, split), normal=1, anomaly=3, contamination=default_contamination(split), seed=42
            )
            for name, array in ((f"x_{split}", chosen.images), (f"y_{split}", chosen.labels.astype(np.uint8))):
                content = BytesIO()
                np.lib.format.write_array(content, array)
                # Deflate: LZMA saves a fifth, but some builds of Python lack it. ZipInfo's fixed date keeps the bytes.
                archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    main(sys.argv[1])
