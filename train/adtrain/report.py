"""The short tables that adtrain shows on the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from adscore.calibration import is_anomaly
from adscore.errors import printable
from adscore.info import describe_rule
from adtrain.evaluate import Comparison, Estimate, Evaluation

if TYPE_CHECKING:
    # Both load TensorFlow, which an evaluation does not need.
    from adexport import Change, Exported


def export_table(exported: "Exported", out: Path) -> Table:
    """Returns what an export did: threshold, rule, images, parity, size."""
    spec = exported.spec
    above = int(is_anomaly(exported.held_out_scores, spec.calibration.threshold).sum())
    return _table(
        {
            "detector": str(out),
            "threshold": f"{spec.calibration.threshold:.6g}",
            "rule": describe_rule(spec.calibration),
            "held-out images": f"{spec.parity.images}, {above} of them above the threshold",
            "parity with Keras": f"scores within {spec.parity.max_relative_difference:.1e} relative, labels agree "
            f"{spec.parity.label_agreement:.0%}, at batch {' and '.join(map(str, spec.parity.batch_sizes))}",
            "size": f"{len(exported.content):,} bytes",
        }
    )


def int8_table(change: "Change", comparison: Comparison | None) -> Table:
    """Returns what int8 changed: on the held-out images, and on labelled ones where they were compared."""
    rows = {
        "int8 against float": f"{change.flips} of {change.images} held-out labels flip, each at its own threshold",
        "correlation": f"{change.correlation:.6f} between the scores",
        "size": f"{change.size:.2f} of the float file",
    }
    if comparison:
        rows["labelled images"] = f"{comparison.flips} of {comparison.images} labels flip"
        rows["AUROC"] = "{:.4f} -> {:.4f}".format(*comparison.auroc)
        rows["average precision"] = "{:.4f} -> {:.4f}".format(*comparison.average_precision)
    return _table(rows)


def evaluation_table(evaluation: Evaluation) -> Table:
    """Returns how a detector did on a labelled folder."""
    normal = evaluation.images - evaluation.anomalies
    rows = {
        "images": f"{evaluation.images}, {evaluation.anomalies} of them anomalies"
        + (f"; {evaluation.unreadable} unreadable" if evaluation.unreadable else ""),
        "AUROC": _estimate(evaluation.auroc),
        "average precision": _estimate(evaluation.average_precision),
        "threshold": f"{evaluation.threshold:.6g}",
        "anomalies flagged": f"{evaluation.true_positives} of {evaluation.anomalies}",
        "normal flagged": f"{evaluation.false_positives} of {normal}",
        "precision": "none: no image is flagged" if evaluation.precision is None else _estimate(evaluation.precision),
        "recall": _estimate(evaluation.recall),
        "F1": _estimate(evaluation.f1),
    }
    if evaluation.pixel_auroc is not None:
        rows["pixel AUROC"] = (
            f"{evaluation.pixel_auroc:.4f}, over the normal images and the {evaluation.masked} of "
            f"{evaluation.anomalies} anomalies with a mask"
        )
    return _table(rows)


def kinds_table(evaluation: Evaluation) -> Table:
    """Returns how each kind of image fared."""
    table = Table(box=SIMPLE)
    for name in ("kind", "images", "flagged", "AUROC"):
        table.add_column(name, justify="left" if name == "kind" else "right", no_wrap=name != "kind")
    for kind in evaluation.kinds:
        name = printable(kind.name if kind.is_anomaly else f"{kind.name} (normal)")
        auroc = "" if kind.auroc is None else f"{kind.auroc:.4f}"
        table.add_row(name, str(kind.images), f"{kind.flagged} ({kind.flagged / kind.images:.1%})", auroc)
    return table


def _estimate(estimate: Estimate) -> str:
    return f"{estimate.value:.4f}  (95 %: {estimate.low:.4f} to {estimate.high:.4f})"


def show(table: Table) -> None:
    """Prints a table on stdout, as wide as its text where stdout is no terminal."""
    console = Console()
    # Names are what they are: brackets in them are no markup, and colons no pictograms.
    Console(width=None if console.is_terminal else 120, highlight=False, markup=False, emoji=False).print(table)


def _table(rows: dict[str, str]) -> Table:
    table = Table(box=SIMPLE, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows.items():
        table.add_row(name, printable(text))
    return table
