"""The short tables that adtrain shows on the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from adscore.calibration import is_anomaly
from adscore.info import describe_rule
from adtrain.evaluate import Evaluation

if TYPE_CHECKING:
    from adexport import Exported  # loads TensorFlow, which an evaluation does not need


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


def evaluation_table(evaluation: Evaluation, threshold: float) -> Table:
    """Returns how a detector did on a labelled folder."""
    return _table(
        {
            "images": f"{evaluation.images}, {evaluation.anomalies} of them anomalies"
            + (f"; {evaluation.unreadable} unreadable" if evaluation.unreadable else ""),
            "AUROC": f"{evaluation.auroc:.4f}",
            "average precision": f"{evaluation.average_precision:.4f}",
            "flagged": f"{evaluation.flagged} above {threshold:.6g}, {evaluation.found} of them anomalies",
            "precision": f"{evaluation.precision:.4f}",
            "recall": f"{evaluation.recall:.4f}",
        }
    )


def show(table: Table) -> None:
    """Prints a table on stdout, as wide as its text where stdout is no terminal."""
    console = Console()
    Console(width=None if console.is_terminal else 120, highlight=False).print(table)


def _table(rows: dict[str, str]) -> Table:
    table = Table(box=SIMPLE, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows.items():
        table.add_row(name, text)
    return table
