"""`adtrain export`: a run becomes a detector file, in float or in int8."""

from pathlib import Path
from typing import Annotated

import typer

from adscore.command import check_threshold, say
from adscore.errors import InputError
from adtrain.quiet import import_tensorflow


def export(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")] = Path("artifacts/run"),
    out: Annotated[
        Path | None,
        typer.Option(help="Detector file. Default: artifacts/detector.onnx or detector-int8.onnx."),
    ] = None,
    fpr: Annotated[
        float | None,
        typer.Option(help="False-alarm rate to keep, by the held-out images. Default: 0.01, more with few images."),
    ] = None,
    quantile: Annotated[
        float | None, typer.Option(help="Threshold at this quantile of the scores of all images, trained on or not.")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Threshold chosen by hand.")] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Eight bits for the large layers: smaller, faster, not quite the same.")
    ] = False,
    compare: Annotated[
        str | None, typer.Option(metavar="DATA", help="With --int8: a labelled folder to compare both detectors on.")
    ] = None,
    allow_degraded: Annotated[
        bool, typer.Option("--allow-degraded", help="With --int8: write it however many labels flip.")
    ] = False,
) -> None:
    """Make one .onnx file of a run: the whole detector, calibrated, and proven equal to the Keras model."""
    if sum(rule is not None for rule in (fpr, quantile, threshold)) > 1:
        raise typer.BadParameter("give one of --fpr, --quantile and --threshold", param_hint="--fpr")
    check_threshold(threshold)
    for hint, value in (("--fpr", fpr), ("--quantile", quantile)):
        if value is not None and not 0 < value < 1:
            raise typer.BadParameter("lies between 0 and 1", param_hint=hint)
    if (compare or allow_degraded) and not int8:
        raise typer.BadParameter("goes with --int8", param_hint="--compare" if compare else "--allow-degraded")
    import_tensorflow()
    from adscore.detector import Detector
    from adscore.progress import progress_bar
    from adtrain.evaluate import compare as compare_detectors
    from adtrain.export import export_run, rule_for
    from adtrain.labelled import labelled_files
    from adtrain.pollution import warnings
    from adtrain.report import export_table, int8_table, show
    from adtrain.run import load_run

    # Before the work, so that a fault in it costs none.
    labelled = labelled_files(compare, notify=say) if compare else []
    loaded = load_run(run_folder)
    rule = rule_for(loaded, fpr=fpr, quantile=quantile, threshold=threshold)
    out = out or Path("artifacts/detector-int8.onnx" if int8 else "artifacts/detector.onnx")
    exported, beside = export_run(loaded, rule, out, int8=int8, allow_degraded=allow_degraded, warn=_warn)
    show(export_table(exported, out))
    if beside:
        comparison = None
        if labelled:
            before, after = (Detector(each.content, provider="cpu") for each in (beside.float32, exported))
            try:
                with progress_bar("scoring", 2 * len(labelled)) as advance:
                    comparison = compare_detectors(before, after, labelled, advance)
            except InputError as error:  # the detector is written; only the comparison is missing
                _warn(f"not compared on {compare}: {error}")
        show(int8_table(beside.change, comparison))
    for warning in warnings(exported):
        _warn(warning)


def _warn(line: str) -> None:
    say(f"warning: {line}")
