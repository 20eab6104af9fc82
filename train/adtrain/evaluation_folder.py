"""What an evaluation leaves behind: its figures as JSON, and three pictures."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve, roc_curve

from adscore.atomic import folder_appears_when_complete
from adscore.file_names import as_utf8
from adtrain.evaluate import Evaluation, Scored
from adtrain.style import BLUE, DPI, GREY, RED, count_on_log, label_powers

FIGURES = "evaluation.json"
ROC = "roc.png"
PRECISION_RECALL = "precision_recall.png"
HISTOGRAM = "scores.png"
CONTENTS = (FIGURES, ROC, PRECISION_RECALL, HISTOGRAM)

_BINS = 60
_DECADE = 10


def write_evaluation(folder: Path, evaluation: Evaluation, scored: Scored) -> None:
    """Writes the figures and pictures; replaces an evaluation that is there.

    Raises:
        OutputError: the folder holds something else, or cannot be written.
    """
    with folder_appears_when_complete(folder, force=True, contents=CONTENTS) as partial:
        kinds = [asdict(kind) | {"name": as_utf8(kind.name)} for kind in evaluation.kinds]
        figures = json.dumps(asdict(evaluation) | {"kinds": kinds}, indent=2)
        (partial / FIGURES).write_text(figures + "\n", encoding="utf-8")
        _draw_roc(evaluation, scored, partial / ROC)
        _draw_precision_recall(evaluation, scored, partial / PRECISION_RECALL)
        _draw_scores(evaluation, scored, partial / HISTOGRAM)


def _draw_roc(evaluation: Evaluation, scored: Scored, path: Path) -> None:
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    false, true, _ = roc_curve(scored.known, scored.scores)
    axes.plot(false, true, color=BLUE)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="chance")
    normal = evaluation.images - evaluation.anomalies
    at = (evaluation.false_positives / normal, evaluation.recall.value)
    axes.plot(*at, color=RED, marker="o", linestyle="", label=f"threshold {evaluation.threshold:.4g}")
    auroc = evaluation.auroc
    axes.set_title(f"AUROC {auroc.value:.4f} (95 %: {auroc.low:.4f} to {auroc.high:.4f})", fontsize=10)
    axes.set(xlabel="share of normal images flagged", ylabel="share of anomalies flagged")
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, dpi=DPI, format="png")


def _draw_precision_recall(evaluation: Evaluation, scored: Scored, path: Path) -> None:
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    precision, recall, _ = precision_recall_curve(scored.known, scored.scores)
    axes.plot(recall, precision, color=BLUE)
    share = evaluation.anomalies / evaluation.images
    axes.axhline(share, color=GREY, linestyle=":", label=f"chance: {share:.1%} are anomalies")
    if evaluation.precision is not None:
        at = (evaluation.recall.value, evaluation.precision.value)
        axes.plot(*at, color=RED, marker="o", linestyle="", label=f"threshold {evaluation.threshold:.4g}")
    area = evaluation.average_precision
    axes.set_title(f"Average precision {area.value:.4f} (95 %: {area.low:.4f} to {area.high:.4f})", fontsize=10)
    axes.set(xlabel="recall", ylabel="precision", ylim=(0, 1.02))
    axes.legend(frameon=False, loc="lower left")
    figure.savefig(path, dpi=DPI, format="png")


def _draw_scores(evaluation: Evaluation, scored: Scored, path: Path) -> None:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    # Scores that spread over decades are cut into bins of equal ratio; what is not positive falls into the first.
    positive = scored.scores[scored.scores > 0]
    spread = len(positive) > 0 and positive.max() > _DECADE * positive.min()
    scores = np.maximum(scored.scores, positive.min()) if spread else scored.scores
    low, high = float(scores.min()), max(float(scores.max()), float(scores.min()) * 1.001, 1e-30)
    edges = (np.geomspace(low, high, _BINS + 1) if spread else np.linspace(low, high, _BINS + 1)).tolist()
    edges[0], edges[-1] = low, high  # to the last bit, or the extremes would be left out
    axes.hist(scores[~scored.known], bins=edges, color=BLUE, alpha=0.7, label="normal")
    axes.hist(scores[scored.known], bins=edges, color=RED, alpha=0.7, label="anomalies")
    axes.axvline(evaluation.threshold, color=GREY, linestyle="--", label=f"threshold {evaluation.threshold:.4g}")
    axes.set(xlabel="score", ylabel="images", xscale="log" if spread else "linear")
    count_on_log(axes)
    if spread:
        label_powers(axes.xaxis)
    axes.set_title(
        f"{evaluation.true_positives} of {evaluation.anomalies} anomalies and {evaluation.false_positives} of "
        f"{evaluation.images - evaluation.anomalies} normal images above the threshold",
        fontsize=10,
    )
    figure.legend(loc="outside lower center", ncols=3, frameon=False)  # within the axes it would lie on bars
    figure.savefig(path, dpi=DPI, format="png")
