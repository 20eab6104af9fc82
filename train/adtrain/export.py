"""From a run folder to a detector file: the run's weights and held-out images, handed to adexport."""

from collections.abc import Iterator
from pathlib import Path

from adexport import Exported, Given, Quantile, Rule, SplitConformal, export_detector
from adexport.parity import BATCH_SIZES
from adscore.atomic import appears_when_complete, refuse_folder
from adscore.images import Pixels
from adscore.progress import progress_bar
from adtrain.pictures import HISTOGRAM, draw_histogram
from adtrain.pollution import default_rate
from adtrain.run import Run, RunError, load_held_out, load_weights
from adtrain.source import read_batches, reopen_source, survey


def rule_for(run: Run, *, fpr: float | None, quantile: float | None, threshold: float | None) -> Rule:
    """Returns the rule that the flags name; without any, the default rate, or what so few images can promise."""
    if threshold is not None:
        return Given(threshold)
    if quantile is not None:
        return Quantile(quantile, all_images(run))
    if fpr is not None:
        return SplitConformal(fpr)
    return SplitConformal(default_rate(len(load_held_out(run))))


def all_images(run: Run) -> Iterator[Pixels]:
    """Yields batches of all images of a run, training and held-out, uint8 (n, height, width, channels).

    Raises:
        RunError: the images are no longer those that the run was made from.
    """
    source = reopen_source(run.data, run.image)
    with progress_bar("reading", len(source)) as advance:
        found = survey(source, advance)
    if found.fingerprint != run.training.fingerprint:
        raise RunError(
            f"{run.data}: its images are not those that {run.folder} was trained on; --quantile needs them all. "
            "Bring them back, train again, or use --fpr, which needs the held-out images only"
        )
    yield from read_batches(source, found.readable)


def export_run(run: Run, rule: Rule, out: Path) -> Exported:
    """Writes the detector file and returns it; the run's histogram is drawn anew with the threshold chosen.

    Raises:
        ADError: with what to do about it; then nothing was written.
    """
    refuse_folder(out)
    held_out = load_held_out(run)
    with progress_bar("comparing", len(held_out) * len(BATCH_SIZES)) as advance:
        exported = export_detector(
            load_weights(run),
            held_out,
            image=run.image,
            scoring=run.scoring,
            training=run.training,
            rule=rule,
            advance=advance,
        )
    # The picture first: once the detector is there, nothing may fail any more.
    with appears_when_complete(run.folder / HISTOGRAM) as partial:
        draw_histogram(exported.held_out_scores, exported.spec.calibration, partial)
    with appears_when_complete(out) as partial:
        partial.write_bytes(exported.content)
    return exported
