"""From a run folder to a detector file: the run's weights and held-out images, handed to adexport."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from adexport import Change, Exported, Given, Quantile, Rule, SplitConformal, export_detector, export_int8
from adexport.parity import BATCH_SIZES
from adscore.atomic import appears_when_complete
from adscore.errors import OutputError
from adscore.images import Pixels
from adscore.progress import progress_bar
from adscore.refusals import refuse_no_file
from adtrain.pictures import HISTOGRAM, draw_histogram
from adtrain.pollution import default_rate
from adtrain.run import Run, RunError, load_held_out, load_weights
from adtrain.source import read_batches, reopen_source, survey


def rule_for(run: Run, *, fpr: float | None, quantile: float | None, threshold: float | None) -> Rule:
    """Returns the rule that the flags name; without any, the default rate, or what so few images can promise."""
    if threshold is not None:
        return Given(threshold)
    if quantile is not None:
        return Quantile(quantile, AllImages(run))
    if fpr is not None:
        return SplitConformal(fpr)
    return SplitConformal(default_rate(len(load_held_out(run))))


class AllImages:
    """Batches of all images of a run, training and held-out, uint8 (n, height, width, channels), as often as wanted."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __iter__(self) -> Iterator[Pixels]:
        """Reads them.

        Raises:
            RunError: the images are no longer those that the run was made from.
        """
        run = self._run
        source = reopen_source(run.data, run.image, run.selection)
        with progress_bar("reading", len(source)) as advance:
            found = survey(source, advance)
        if found.fingerprint != run.training.fingerprint:
            raise RunError(
                f"{run.data}: its images are not those that {run.folder} was trained on; --quantile needs them all. "
                "Bring them back, train again, or use --fpr, which needs the held-out images only"
            )
        yield from read_batches(source, found.readable)


@dataclass(frozen=True)
class Int8:
    """What an int8 export has beside the file."""

    float32: Exported  # the float detector of the same weights
    change: Change


def export_run(
    run: Run,
    rule: Rule,
    out: Path,
    *,
    int8: bool = False,
    allow_degraded: bool = False,
    warn: Callable[[str], None] = lambda _: None,
) -> tuple[Exported, Int8 | None]:
    """Writes the detector file and returns it; the run's histogram is drawn anew with the threshold chosen.

    The run may be read-only; then its histogram stays as it is, and a warning says so.

    Args:
        run: what was trained.
        rule: how the threshold is found.
        out: the file.
        int8: write the int8 detector, which is compared with the float one.
        allow_degraded: accept an int8 detector however many labels flip.
        warn: takes a line of what went wrong beside the detector.

    Raises:
        ADError: with what to do about it; then nothing was written.
    """
    refuse_no_file(out)
    held_out, weights = load_held_out(run), load_weights(run)
    # Keras, the float detector and the int8 one.
    with progress_bar("comparing", len(held_out) * len(BATCH_SIZES) * (3 if int8 else 2)) as advance:
        exported = export_detector(
            weights,
            held_out,
            image=run.image,
            scoring=run.scoring,
            training=run.training,
            rule=rule,
            advance=advance,
        )
        beside = None
        if int8:
            plain = exported
            exported, change = export_int8(
                plain, weights, held_out,
                scoring=run.scoring, rule=rule, allow_degraded=allow_degraded, advance=advance,
            )  # fmt: skip
            beside = Int8(plain, change)
    with appears_when_complete(out) as partial:
        partial.write_bytes(exported.content)
    # Once the detector is there, nothing may fail any more; the picture is not worth it.
    try:
        with appears_when_complete(run.folder / HISTOGRAM) as partial:
            draw_histogram(exported.held_out_scores, exported.spec.calibration, partial)
    except OutputError as error:
        reason = getattr(error.__cause__, "strerror", None) or error
        warn(f"{run.folder / HISTOGRAM}: stays as it was, with another threshold ({reason})")
    return exported, beside
