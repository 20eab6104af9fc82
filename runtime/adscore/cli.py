"""The `adscore` command: parse, open the detector, write the table, say what came of it.

Nothing heavy is imported above the command's body, so that --help and --version answer at once.
"""

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from adscore.command import run, say
from adscore.usage import check_resume, check_usage, check_watch

if TYPE_CHECKING:
    from adscore.detector import Detector
    from adscore.kept import KeptScores
    from adscore.pipeline import Summary

EXIT_UNREADABLE = 3
EXIT_ANOMALY = 4

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command(epilog="Example: adscore ./images --out results.csv")
def score(
    images: Annotated[
        list[str] | None, typer.Argument(help="Images, folders of images, or - for a list of paths on stdin.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Detector file. Else $ADSCORE_MODEL, or detector.onnx here or in artifacts."),
    ] = None,
    out: Annotated[str, typer.Option(help="Table to write: .csv, .jsonl, or - for CSV on stdout.")] = "-",
    info: Annotated[bool, typer.Option("--info", help="Print what the detector says of itself.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --info: print the spec as JSON.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the versions of the tool and the format.")] = False,
    fail_on_anomaly: Annotated[bool, typer.Option("--fail-on-anomaly", help="Exit 4 if there are anomalies.")] = False,
    threshold: Annotated[float | None, typer.Option(help="Decide by this threshold, not the detector's.")] = None,
    fpr: Annotated[float | None, typer.Option(help="Decide by the threshold that keeps this false-alarm rate.")] = None,
    fdr: Annotated[
        float | None, typer.Option(help="Decide all images together: share of false alarms among those flagged.")
    ] = None,
    provider: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option(help="Where to run; cuda fails if it cannot, auto falls back.")
    ] = "auto",
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes that decode and score. Default: all CPUs; cuda: 1.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of ONNX Runtime in each of them.")] = 1,
    batch_size: Annotated[
        int | None, typer.Option(min=1, max=65536, help="Images in one run. Default: 32, fewer if large.")
    ] = None,
    low_memory: Annotated[
        bool, typer.Option("--low-memory", help="For small boards: one worker, one image at a time, nothing kept.")
    ] = False,
    max_pixels: Annotated[
        int | None, typer.Option(min=1, max=178_956_970, help="Refuse images of more pixels. Default: 89,478,485.")
    ] = None,
    max_bytes: Annotated[int | None, typer.Option(min=1, help="Refuse files of more bytes. Default: 512 MiB.")] = None,
    hidden: Annotated[
        bool, typer.Option("--hidden", help="Take hidden files and folders, and those of the system, as well.")
    ] = False,
    resume: Annotated[
        bool | None, typer.Option("--resume/--no-resume", help="After a stop: go on where it was, or start anew.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Score images as they come into a folder, until Ctrl-C or SIGTERM.")
    ] = False,
    settle: Annotated[
        float | None, typer.Option(help="With --watch: seconds unchanged that make an image complete. Default: 1.")
    ] = None,
    on_anomaly: Annotated[
        str | None, typer.Option(help="With --watch: command to run for each anomaly, {path} and {score} in it.")
    ] = None,
) -> None:
    """Score images with a detector file: one row an image, higher score = more anomalous."""
    if version:
        from adscore.info import print_version

        print_version()
        return
    check_usage(images, info=info, as_json=as_json, threshold=threshold, fpr=fpr, fdr=fdr)
    check_resume(out, info=info, resume=resume)
    check_watch(
        images,
        out,
        watch=watch,
        settle=settle,
        on_anomaly=on_anomaly,
        others={
            "--info": info,
            "--fdr": fdr is not None,
            "--no-resume": resume is False,
            "--fail-on-anomaly": fail_on_anomaly,
        },
    )
    # numpy multiplies no matrices here; its threads for that would only stand in the way of forking workers.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from adscore.detector import Detector
    from adscore.find_model import find_model
    from adscore.images import MAX_BYTES, MAX_PIXELS, Limits
    from adscore.inputs import Inputs
    from adscore.pipeline import Effort, Summary, score_discoveries, score_images
    from adscore.progress import is_terminal, progress_bar
    from adscore.settings import settings_of
    from adscore.stop import Stop
    from adscore.table import STDOUT, kind_of_table, open_table

    path = find_model(model, images or ())
    say(f"detector: {path}")
    limits = Limits(max_pixels or MAX_PIXELS, max_bytes or MAX_BYTES)
    detector = Detector(path, provider=provider, threads=threads, low_memory=low_memory, limits=limits)
    if detector.fallback is not None:
        typer.echo(f"running on {detector.provider}, since {detector.fallback}", err=True)
    if info:
        from adscore.info import print_info

        print_info(detector.spec, as_json=as_json)
        return
    assert images is not None  # noqa: S101 - check_usage saw to it
    kind_of_table(out)
    limit = _limit(detector, threshold, fpr=fpr, fdr=fdr)
    workers = workers or _usual_workers(detector, threads, low_memory)
    batch_size = batch_size or detector.batch_size
    gc.freeze()  # nor later; and workers that are forked go on sharing it
    gc.enable()
    if watch:
        from adscore import cli_watch

        cli_watch.watch(
            detector, images[0], out, threshold=limit, workers=workers, batch_size=batch_size, settle=settle,
            on_anomaly=on_anomaly, settings=settings_of(detector, images, threshold=threshold, fpr=fpr, fdr=fdr),
            resume=bool(resume), hidden=hidden,
        )  # fmt: skip
        return
    files = Inputs(images, hidden=hidden)
    for folder in files.empty:
        say(f"{folder}: no images in this folder; the others are scored")
    # The bar needs a total, which costs a second walk; on a terminal only, and not where rows go to the same one.
    visible = is_terminal(sys.stderr) and not (out == STDOUT and is_terminal(sys.stdout))
    total = files.count() if visible else None
    begun = time.monotonic()
    settings = {} if out == STDOUT else settings_of(detector, images, threshold=threshold, fpr=fpr, fdr=fdr)
    summary = Summary()
    try:
        with (
            Stop() as stop,
            _keeping(out, settings, resume=resume) as kept,
            open_table(out) as write,
            progress_bar("scoring", total, visible=visible) as advance,
        ):
            effort = Effort(workers, batch_size, advance, kept, stop)
            if fdr is None:
                summary = score_images(detector, files, write, effort, threshold=limit)
            else:
                summary, limit = score_discoveries(detector, files, write, effort, fdr=fdr)
            stop.check()
    finally:  # of a run that was stopped too: what it has scored is not looked at again
        for line in (*files.passed_over(), *summary.doubts, *summary.remarks.lines(detector.spec)):
            say(line)
    _print_summary(summary, detector, limit, time.monotonic() - begun, out)
    if fail_on_anomaly and summary.anomalies:
        raise typer.Exit(EXIT_ANOMALY)
    if summary.failed:
        raise typer.Exit(EXIT_UNREADABLE)


def main() -> None:
    """Runs the command; see `adscore.command` for how it ends."""
    gc.disable()  # of what is imported nothing becomes garbage
    run(app, at_once=True)


def _usual_workers(detector: "Detector", threads: int, low_memory: bool) -> int:
    from adscore.cpus import usable_cpus

    # Every process on a GPU holds hundreds of megabytes of its memory.
    return 1 if low_memory or detector.provider == "cuda" else max(1, usable_cpus() // threads)


@contextmanager
def _keeping(out: str, settings: dict[str, str], *, resume: bool | None) -> Iterator["KeptScores | None"]:
    """Yields where scores are kept until the table is complete, and says what a stop leaves; on stdout nothing is."""
    if out == "-":
        yield None
        return
    from adscore.kept import keep_scores

    with keep_scores(Path(out), settings, resume=resume) as kept:
        try:
            yield kept
        except BaseException:
            if kept.images:
                typer.echo(f"{kept.images} rows are kept; the same command with --resume goes on from there", err=True)
            raise


def _limit(detector: "Detector", threshold: float | None, *, fpr: float | None, fdr: float | None) -> float | None:
    """Returns what to decide by in place of the detector's threshold, if anything, before a table is begun."""
    from adscore.calibration import refuse_unreachable

    if fdr is not None:
        refuse_unreachable(detector.spec.calibration.reference, fdr, "fdr")
    return threshold if fpr is None else detector.threshold_for(fpr)


def _print_summary(summary: "Summary", detector: "Detector", threshold: float | None, seconds: float, out: str) -> None:
    limit = detector.spec.calibration.threshold if threshold is None else threshold
    where = "" if out == "-" else f": {out}"
    typer.echo(
        f"{summary.images} images, {summary.anomalies} anomalies above {limit:.6g}, "
        f"{summary.failed} unreadable, on {detector.provider}{where} ({summary.images / seconds:,.0f} a second)",
        err=True,
    )
