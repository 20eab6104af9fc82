"""`adtrain evaluate`: a detector against images whose kind is known."""

from pathlib import Path
from typing import Annotated

import typer

from adscore.command import say
from adtrain.quiet import quiet_matplotlib

Hidden = Annotated[
    bool, typer.Option("--hidden", help="Take hidden files and folders, and those of the system, as well.")
]


def evaluate(
    file: Annotated[str, typer.Argument(help="Detector file.")],
    data: Annotated[
        str,
        typer.Argument(help="Folder with labels.csv, or with folders such as test/good and test/DEFECT, OK and NG."),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write: figures as JSON, and pictures.")] = Path(
        "artifacts/evaluation"
    ),
    hidden: Hidden = False,
) -> None:
    """Score a labelled folder and show how well the detector tells its anomalies, with 95 % bootstrap intervals."""
    quiet_matplotlib()
    from adscore.detector import Detector
    from adscore.progress import progress_bar
    from adscore.refusals import refuse_existing
    from adtrain.evaluate import evaluate as measure
    from adtrain.evaluate import score_files
    from adtrain.evaluation_folder import CONTENTS, write_evaluation
    from adtrain.labelled import labelled_files, refuse_among
    from adtrain.localization import empty_masks
    from adtrain.report import evaluation_table, kinds_table, show
    from adtrain.told import listed
    from adtrain.unreadable import unreadable_lines

    refuse_existing(out, force=True, contents=CONTENTS)
    detector = Detector(file)
    files = labelled_files(data, hidden=hidden, notify=say)
    refuse_among(out, files)
    empty = empty_masks(files)  # before the work, so that a fault in a mask costs none
    if empty:
        say(f"masks that mark nothing, {len(empty)} in all: {listed(str(file.mask) for file in empty)}")
    with progress_bar("scoring", len(files)) as advance:
        scored = score_files(detector, files, advance)
    for line in (*unreadable_lines(scored.faults), *scored.remarks.lines(detector.spec)):
        say(line)
    evaluation = measure(detector, scored)
    write_evaluation(out, evaluation, scored)
    show(evaluation_table(evaluation))
    show(kinds_table(evaluation))
    say(f"figures and pictures: {out}")
