"""Whether the calibration keeps its promise: 50 random splits of normal images that training never saw.

    make bench-calibration

Scores come from the committed demo detector and the ones of the bundled test set. Each split calibrates on a part and
counts false alarms on the rest. Theory (Vovk 2012): with n calibration scores and k = floor((n + 1) fpr), the number
of false alarms among m new images follows a beta-binomial distribution with parameters m, k and n + 1 - k. Writes
CALIBRATION.md and calibration.png.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import betabinom, kstest

from adscore.atomic import appears_when_complete
from adscore.calibration import conformal_threshold, is_anomaly, p_values
from adscore.detector import Detector
from adtrain.arrays import load_demo
from adtrain.quiet import import_tensorflow

HERE = Path(__file__).parent
DETECTOR = HERE.parent / "artifacts" / "demo" / "detector.onnx"
SPLITS = 50
CALIBRATION_IMAGES = 600
RATES = (0.01, 0.05, 0.1)
COVERAGE = 0.95


def main() -> None:
    """Measures and writes the table and the picture."""
    test = load_demo("test")
    scores = Detector(DETECTOR).score(test.images[test.labels == 1][..., np.newaxis])
    alarms, chances = realised(scores)
    rows = [
        "# Calibration\n",
        f"Written by `make bench-calibration`: {SPLITS} random splits of {len(scores)} normal images that training "
        f"never saw, {CALIBRATION_IMAGES} to calibrate and the rest to count false alarms on.\n",
        "| false-alarm rate asked | mean realised | theory's mean | theory's 95 % interval | splits inside |",
        "| --- | --- | --- | --- | --- |",
    ]
    others = len(scores) - CALIBRATION_IMAGES
    for rate, counts in alarms.items():
        theory = _theory(rate, others)
        low, high = theory.interval(COVERAGE)
        inside = int(((counts >= low) & (counts <= high)).sum())
        rows.append(
            f"| {rate:g} | {counts.mean() / others:.4f} | {theory.mean() / others:.4f} | {low / others:.4f} to "
            f"{high / others:.4f} | {inside} of {SPLITS} |"
        )
    first = kstest(chances[0], "uniform")
    rows.append(
        "\nShare of p-values at or below 0.1, 0.25, 0.5, 0.75, mean over the splits: "
        + ", ".join(f"{(chances <= level).mean():.3f}" for level in (0.1, 0.25, 0.5, 0.75))
        + f". Kolmogorov-Smirnov distance from uniform in the first split: {first.statistic:.3f}.\n"
    )
    with appears_when_complete(HERE / "CALIBRATION.md") as partial:
        partial.write_text("\n".join(rows), encoding="utf-8")
    _draw(alarms, chances, others)
    print("\n".join(rows))


def realised(scores: NDArray[np.float32]) -> tuple[dict[float, NDArray[np.int64]], NDArray[np.float64]]:
    """Returns the false alarms of each split by rate, and the p-values, (splits, images)."""
    import_tensorflow()  # in silence, before adexport loads it
    from adexport.calibration import reference_of

    random = np.random.default_rng(0)
    alarms: dict[float, list[int]] = {rate: [] for rate in RATES}
    chances = []
    for _ in range(SPLITS):
        shuffled = random.permutation(scores)
        reference = reference_of(np.sort(shuffled[:CALIBRATION_IMAGES]))
        others = shuffled[CALIBRATION_IMAGES:]
        for rate in RATES:
            alarms[rate].append(int(is_anomaly(others, conformal_threshold(reference, rate)).sum()))
        chances.append(p_values(others, reference))
    return {rate: np.array(counts) for rate, counts in alarms.items()}, np.stack(chances)


def _theory(rate: float, images: int) -> betabinom:
    allowed = int((CALIBRATION_IMAGES + 1) * rate)
    return betabinom(images, allowed, CALIBRATION_IMAGES + 1 - allowed)


def _draw(alarms: dict[float, NDArray[np.int64]], chances: NDArray[np.float64], others: int) -> None:
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for place, (rate, counts) in enumerate(alarms.items()):
        low, high = _theory(rate, others).interval(COVERAGE)
        left.plot([place, place], [low / others, high / others], color="#777777", linewidth=8, alpha=0.4)
        left.plot(place + np.linspace(-0.2, 0.2, SPLITS), counts / others, ".", color="#2a6fbb")
        left.plot([place - 0.3, place + 0.3], [rate, rate], color="#c0262d")
    left.set_xticks(range(len(alarms)), [f"{rate:g}" for rate in alarms])
    left.set(xlabel="false-alarm rate asked", ylabel="realised", title="Each split, and theory's 95 % interval")
    right.hist(chances.ravel(), bins=20, range=(0, 1), density=True, color="#2a6fbb")
    right.axhline(1, color="#c0262d")
    right.set(xlabel="p-value of a normal image", ylabel="density", title="p-values are uniform")
    with appears_when_complete(HERE / "calibration.png") as partial:
        figure.savefig(partial, dpi=120, format="png")


if __name__ == "__main__":
    main()
