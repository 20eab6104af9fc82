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
from adscore.outages import Outages
from adscore.pipeline import Effort, Summary, score_images
from adscore.prediction import Prediction, Scored, decide
from adscore.remarks import Remarks
from adscore.seen import Seen, Version
from adscore.sieve import foreign_passed_over

# Seconds between looks at least: while images are written, and while nothing comes and nobody tells if something does.
_SHORTEST_PAUSE, _IDLE_PAUSE = 0.01, 0.2
# Rows wait no longer for others with which they go to the disk: that takes as long for one as for many.
_LONGEST_WAIT = 0.1


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
    hidden: bool,
    complain: Callable[[str], None],
) -> Summary:
    """Scores what comes into the folder until `effort.stop`, and returns what that was.

    Args:
        detector: the opened detector.
        folder: searched to the bottom.
        table: takes the rows.
        seen: the versions of images that have one; they are not scored again.
        effort: how the work is done.
        threshold: decides in place of the detector's.
        settle: seconds that an image has to lie unchanged to count as completely written.
        on_anomaly: called for each anomaly with its path and score, after its row is on the disk.
        hidden: take what is hidden or of the system as well.
        complain: takes a line of what went wrong, in it or in reading a folder.

    Raises:
        OutputError: the rows cannot be written.
    """
    arrivals, outages = Arrivals(folder, seen, settle, hidden=hidden), Outages(settle, complain)
    limit, reference = detector.decision_threshold(threshold), detector.spec.calibration.reference
    rows = _Rows(folder, table, arrivals, on_anomaly, complain)
    effort = replace(effort, advance=rows.commit_if_due)
    changes = Changes(folder, effort.stop)
    told: set[str] = set()  # suffixes of pictures that are passed over, each told of when the first comes
    remarks = Remarks()
    while effort.stop.code is None:
        begun = time.monotonic()
        complete = arrivals.look()
        look = time.monotonic() - begun
        for name, cause in () if arrivals.unread is None else outages.update(arrivals.unread):
            rows.add(next(decide([name], Scored.failed(cause), limit, reference)), None)
        if not told.issuperset(arrivals.foreign):
            told |= arrivals.foreign.keys()
            complain(foreign_passed_over(arrivals.foreign))
        if complete:
            remarks += score_images(detector, complete, rows.take, effort, threshold=threshold).remarks
        rows.commit()
        if complete:
            continue
        if arrivals.pending or outages.pending:
            effort.stop.sleep(max(_SHORTEST_PAUSE, settle / 2, 4 * look))
        else:
            changes.wait(look, max(_IDLE_PAUSE, settle / 2))
    if rows.untold:
        complain(f"stopped before --on-anomaly was run for the last {rows.untold} anomalies in the table")
    return replace(rows.written, remarks=remarks)


class _Rows:
    """What becomes of each row: written together with those of the same moment, then told."""

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
        self._batch: list[tuple[Prediction, Version | None]] = []
        self._committed = time.monotonic()
        self.written = Summary()
        self.untold = 0  # anomalies that the command was not run for, since a stop came before

    def take(self, row: Prediction) -> None:
        if self._arrivals.is_done(row.path, readable=row.error is None):
            self.add(row, self._arrivals.version(row.path))

    def add(self, row: Prediction, version: Version | None) -> None:
        self._batch.append((row, version))

    def commit_if_due(self, _: int) -> None:
        if time.monotonic() - self._committed >= _LONGEST_WAIT:
            self.commit()

    def commit(self) -> None:
        if not self._batch:
            return
        self._table.append(self._batch)
        anomalies = [row for row, _ in self._batch if row.is_anomaly]
        self.written = Summary(
            self.written.images + len(self._batch),
            self.written.failed + sum(row.error is not None for row, _ in self._batch),
            self.written.anomalies + len(anomalies),
        )
        for row, version in self._batch:
            if version is not None:
                self._arrivals.forget(row.path)
        self._batch.clear()
        self._tell(anomalies)
        self._committed = time.monotonic()

    def _tell(self, anomalies: list[Prediction]) -> None:
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
