"""Watching a folder: each image is scored once it is completely written, and its row is on the disk at once."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from adscore.appended import AppendedTable
from adscore.arrivals import Arrivals
from adscore.callback import Callback
from adscore.changes import Changes
from adscore.detector import Detector
from adscore.pipeline import Effort, Summary, score_images
from adscore.prediction import Prediction
from adscore.remarks import Remarks
from adscore.seen import Seen

# Seconds between looks at least: while images are written, and while nothing comes and nobody tells if something does.
_SHORTEST_PAUSE, _IDLE_PAUSE = 0.01, 0.2


def watch_folder(
    detector: Detector,
    folder: str,
    table: AppendedTable,
    seen: Seen,
    effort: Effort,
    *,
    threshold: float | None,
    settle: float,
    on_anomaly: Callback | None,
    complain: Callable[[str], None],
) -> Summary:
    """Scores what comes into the folder until `effort.stop`, and returns what that was.

    Args:
        detector: the opened detector.
        folder: searched to the bottom.
        table: takes the rows.
        seen: the names that are in it; they are not scored again.
        effort: how the work is done.
        threshold: decides in place of the detector's.
        settle: seconds that an image has to lie unchanged to count as completely written.
        on_anomaly: called for each anomaly with its path and score, after its row is on the disk.
        complain: takes a line of what went wrong in it.

    Raises:
        OutputError: the rows cannot be written.
    """
    arrivals = Arrivals(folder, seen, settle)
    rows = _Rows(folder, table, arrivals, on_anomaly, complain)
    effort = replace(effort, advance=rows.commit)
    changes = Changes(folder, effort.stop)
    remarks = Remarks()
    while effort.stop.code is None:
        begun = time.monotonic()
        complete = arrivals.look()
        look = time.monotonic() - begun
        if complete:
            remarks += score_images(detector, complete, rows.take, effort, threshold=threshold).remarks
        elif arrivals.pending:
            effort.stop.sleep(max(_SHORTEST_PAUSE, settle / 2, 4 * look))
        else:
            changes.wait(look, max(_IDLE_PAUSE, settle / 2))
    if rows.untold:
        complain(f"stopped before --on-anomaly was run for the last {rows.untold} anomalies in the table")
    return replace(rows.written, remarks=remarks)


class _Rows:
    """What becomes of each row: written together with its batch, then told."""

    def __init__(
        self,
        folder: str,
        table: AppendedTable,
        arrivals: Arrivals,
        on_anomaly: Callback | None,
        complain: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._table = table
        self._arrivals = arrivals
        self._on_anomaly = on_anomaly
        self._complain = complain
        self._batch: list[Prediction] = []
        self.written = Summary()
        self.untold = 0  # anomalies that the command was not run for, since a stop came before

    def take(self, row: Prediction) -> None:
        if self._arrivals.is_done(row.path, readable=row.error is None):
            self._batch.append(row)

    def commit(self, _: int) -> None:
        if not self._batch:
            return
        self._table.append(self._batch)
        anomalies = [row for row in self._batch if row.is_anomaly]
        self.written = Summary(
            self.written.images + len(self._batch),
            self.written.failed + sum(row.error is not None for row in self._batch),
            self.written.anomalies + len(anomalies),
        )
        for row in self._batch:
            self._arrivals.forget(row.path)
        self._batch.clear()
        if self._on_anomaly is None:
            return
        for row in anomalies:
            if not self._on_anomaly.seconds:
                self.untold += 1
                continue
            # A whole path, which no command takes for an option.
            fault = self._on_anomaly.run(str(Path(self._folder, row.path).absolute()), row.score or 0.0)
            if fault is not None:
                self._complain(fault)
