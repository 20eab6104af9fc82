"""The pictures of a run: training curve, histogram of scores, and a montage of images beside their reconstructions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from adscore.calibration import is_anomaly
from adscore.detector import Detector
from adscore.images import Pixels
from adscore.info import describe_rule
from adscore.spec import Calibration
from adtrain.style import BLUE, DPI, GREY, ORANGE, RED, count_on_log
from adtrain.training import Epoch

CURVE = "training.png"
HISTOGRAM = "histogram.png"
MONTAGE = "montage.png"

_MONTAGE_COLUMNS = 8


def draw_curve(epochs: Sequence[Epoch], kept: int, path: Path, *, damaged: bool) -> None:
    """Draws the loss over the epochs, with the epoch whose weights were kept.

    Args:
        epochs: what each came to.
        kept: the number of that epoch.
        path: of the PNG to write.
        damaged: whether the network learnt from damaged images; held-out ones are whole, so their loss is smaller.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    numbers = [epoch.number for epoch in epochs]
    trained = "training images, damaged" if damaged else "training images"
    axes.plot(numbers, [epoch.loss for epoch in epochs], color=BLUE, marker=".", label=trained)
    axes.plot(numbers, [epoch.held_out_loss for epoch in epochs], color=ORANGE, marker=".", label="held-out images")
    axes.axvline(kept, color=GREY, linestyle=":", label=f"weights kept (epoch {kept})")
    axes.set(title="Training", xlabel="epoch", ylabel="mean squared error", yscale="log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=DPI, format="png")


def draw_histogram(scores: NDArray[np.float32], calibration: Calibration, path: Path) -> None:
    """Draws how the held-out images' scores, (n,), lie about the threshold."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    # Scores that are all but equal have no range that could be cut into bins.
    low, high = float(scores.min()), float(scores.max())
    high = max(high, low + 1e-3 * abs(low), low + 1e-30)
    axes.hist(scores, bins=min(80, max(8, len(scores) // 4)), range=(low, high), color=BLUE)
    above = int(is_anomaly(scores, calibration.threshold).sum())
    label = f"threshold {calibration.threshold:.4g}: {above} of {len(scores)} above"
    axes.axvline(calibration.threshold, color=RED, linestyle="--", label=label)
    axes.set(xlabel="score", ylabel="held-out images")
    count_on_log(axes)
    axes.set_title(f"Scores of held-out images\n{describe_rule(calibration)}", fontsize=10)
    figure.legend(loc="outside lower center", frameon=False)  # within the axes it would lie on bars
    figure.savefig(path, dpi=DPI, format="png")


def draw_montage(detector: Detector, images: Pixels, scores: NDArray[np.float32], path: Path) -> None:
    """Draws typical images (scores about the median) and the most anomalous, each above its reconstruction.

    Args:
        detector: reconstructs.
        images: uint8 (n, height, width, channels); may be a memory map.
        scores: float32 (n,).
        path: PNG file to write.
    """
    order = np.argsort(scores)
    columns = min(_MONTAGE_COLUMNS, len(order))
    start = (len(order) - columns) // 2
    groups = {"Typical": order[start : start + columns], "Most anomalous": order[::-1][:columns]}
    figure = Figure(figsize=(1.1 * columns + 0.9, 6.2), layout="constrained")
    parts: Any = figure.subfigures(2, 1)
    for part, (title, chosen) in zip(parts, groups.items(), strict=True):
        part.suptitle(title, x=0.02, ha="left", fontweight="bold")
        inputs = np.stack([images[index] for index in chosen])
        rows = {"input": inputs, "reconstruction": detector.analyze(inputs).reconstruction}
        axes = part.subplots(2, columns, squeeze=False)
        for row, (name, pictures) in enumerate(rows.items()):
            axes[row, 0].set_ylabel(name)
            for axis, picture in zip(axes[row], pictures, strict=True):
                limit = 255 if picture.dtype == np.uint8 else 1
                axis.imshow(picture.squeeze() if picture.shape[2] == 1 else picture, cmap="gray", vmin=0, vmax=limit)
                axis.set(xticks=[], yticks=[])
        for axis, index in zip(axes[0], chosen, strict=True):
            axis.set_title(f"{scores[index]:.3g}", fontsize=9)
    figure.savefig(path, dpi=DPI, format="png")
