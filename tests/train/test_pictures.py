"""Pictures that can be read: labels that do not overlap, and no image that an axis hides."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from adtrain.style import count_on_log, label_powers


def axes_over(low: float, high: float) -> Axes:
    axes = Figure(figsize=(7, 4), layout="constrained").subplots()
    axes.set(xscale="log", xlim=(low, high))
    return axes


def labels_of(axes: Axes) -> list[tuple[float, float, str]]:
    """Returns begin, end and text of each label of the x axis that is seen, in order."""
    figure = axes.figure
    assert isinstance(figure, Figure)
    FigureCanvasAgg(figure).draw()
    ticks = [*axes.xaxis.get_major_ticks(), *axes.xaxis.get_minor_ticks()]
    low, high = axes.get_xlim()
    seen = [tick.label1 for tick in ticks if tick.label1.get_text() and low <= tick.get_loc() <= high]
    return sorted((*label.get_window_extent().intervalx, label.get_text()) for label in seen)


@pytest.mark.parametrize(("low", "high"), [(0.012, 0.6), (0.01, 0.3), (0.0003, 0.9), (1e-9, 1), (1e-3, 1e30)])
def test_labels_of_powers_do_not_overlap(low: float, high: float) -> None:
    axes = axes_over(low, high)
    label_powers(axes.xaxis)
    labels = labels_of(axes)
    assert len(labels) >= 3
    assert all(left[1] < right[0] for left, right in itertools.pairwise(labels))
    assert not any("\\" in text for *_, text in labels)


def test_a_bar_of_one_image_has_a_height() -> None:
    axes = axes_over(1, 2)
    axes.hist(np.repeat([0.5, 1.5], (1, 6)), bins=[0, 1, 2])
    count_on_log(axes)
    assert axes.get_ylim()[0] < 1


@pytest.mark.slow  # adtrain.pictures loads TensorFlow
def test_few_held_out_images_are_all_seen_in_the_histogram(tmp_path: Path) -> None:
    from PIL import Image

    from adtrain.pictures import draw_histogram
    from tests.tiny import tiny_spec

    scores = np.repeat(np.array([0.1, 0.9], np.float32), (7, 5))
    draw_histogram(scores, tiny_spec().calibration, tmp_path / "histogram.png")
    with Image.open(tmp_path / "histogram.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    heights = (abs(pixels - (0x2A, 0x6F, 0xBB)).max(axis=2) < 8).sum(axis=0)
    bars = heights[heights > 0]
    # The axis used to begin where the lower bar ends.
    assert bars.min() > bars.max() / 2
