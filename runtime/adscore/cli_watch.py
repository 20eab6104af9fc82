"""`adscore --watch`: the part of the command that never ends by itself."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from adscore.command import say

if TYPE_CHECKING:
    from adscore.detector import Detector
    from adscore.kept import Settings

SETTLE = 1.0  # seconds


def watch(
    detector: "Detector",
    folder: str,
    out: str,
    *,
    threshold: float | None,
    workers: int,
    batch_size: int,
    settle: float | None,
    on_anomaly: str | None,
    settings: "Settings",
    resume: bool,
    hidden: bool,
) -> None:
    """Scores what comes into the folder until a signal asks it to end, and exits 129, 130 or 143.

    Raises:
        InputError: the folder or the command is not there.
        OutputError: the table cannot be written, or is of something else.
    """
    from adscore.appended import open_appended
    from adscore.callback import Callback
    from adscore.errors import InputError
    from adscore.pipeline import Effort
    from adscore.stop import Stop
    from adscore.taken_up import Watched, take_up
    from adscore.watch import watch_folder

    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; --watch takes one folder, which has to be there")
    stop = Stop()
    callback = None if on_anomaly is None else Callback(on_anomaly, stop)
    with stop, open_appended(out) as table:
        watched = Watched(folder, settings, detector.decision_threshold(threshold))
        seen = take_up(table, watched, stop, resume=resume, say=say)
        say(f"watching {folder} until Ctrl-C or SIGTERM")
        summary = watch_folder(
            detector,
            folder,
            table,
            seen,
            Effort(workers, batch_size, lambda _: None, stop=stop),
            threshold=threshold,
            settle=SETTLE if settle is None else settle,
            on_anomaly=callback,
            hidden=hidden,
            complain=say,
        )
        table.check()
        for line in summary.remarks.lines(detector.spec):
            say(line)
        typer.echo(
            f"{summary.images} images, {summary.anomalies} anomalies, {summary.failed} unreadable, "
            f"on {detector.provider}: {out}",
            err=True,
        )
        stop.check()
