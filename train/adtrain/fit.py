"""From images to a run folder: survey, split, train, draw, keep."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from adexport import SplitConformal, draft_detector
from adexport.calibration import calibrate
from adexport.scoring import Light
from adscore.atomic import folder_appears_when_complete
from adscore.errors import InputError, OutputError
from adscore.images import Pixels
from adscore.progress import progress_bar
from adscore.refusals import refuse_existing
from adscore.spec import Mode, TrainingRecord
from adtrain.light import choose_light
from adtrain.model import check_blur, check_size
from adtrain.originals import in_bits
from adtrain.pictures import CURVE, HISTOGRAM, MONTAGE, draw_curve, draw_histogram, draw_montage
from adtrain.plan import Shape, choose_shape, draft_settings
from adtrain.pollution import default_rate
from adtrain.run import LEFT_OUT, RUN_FILES, Run, tool_versions, write_held_out, write_run
from adtrain.selection import BY_NAMES, Selection
from adtrain.settings import Draft, Recipe
from adtrain.source import DEMO_NAME, ROOM, ImageSource, Indices, KeptSource, open_source, read_batches, survey
from adtrain.training import Epoch, Trained, TrainingError, batches, scouted, split, train
from adtrain.typical import typical_of
from adtrain.unreadable import unreadable_lines

Notify = Callable[[str], None]

# Above this share of unreadable images something is wrong with the folder, not with a few files.
MAX_UNREADABLE = 0.1

CONTENTS = (*RUN_FILES, CURVE, HISTOGRAM, MONTAGE)


def fit(
    data: str | None,
    folder: Path,
    asked: dict[str, Any],
    *,
    recipe: Recipe = "auto",
    size: tuple[int, int] | None = None,
    mode: Mode | None = None,
    bits: int | None = None,
    selection: Selection = BY_NAMES,
    force: bool = False,
    notify: Notify,
) -> Run:
    """Trains on `data` and returns the run, written to `folder`.

    Args:
        data: see `adtrain.source.open_source`.
        folder: the run folder; appears when complete.
        asked: settings by name; None, or no entry, where the data are to choose.
        recipe: how they choose; see `adtrain.plan.draft_settings`.
        size: (width, height) to train at; by default by `adtrain.plan.choose_shape`.
        mode: "L" or "RGB"; by default the images' own.
        bits: how many bits 16-bit images use; by default what all of them together take.
        selection: which of the images in a folder.
        force: replace a run that is there.
        notify: takes each line to show.

    Raises:
        ADError: with what to do about it.
    """
    refuse_existing(folder, force=force, contents=CONTENTS)
    _refuse_inside(folder, data)
    versions = tool_versions()

    def shape_for(width: int, height: int) -> Shape:
        return choose_shape(width, height, size=size, asked=asked, recipe=recipe)

    opened = open_source(
        data,
        size=size,
        mode=mode,
        bits=bits,
        fit_size=lambda width, height: shape_for(width, height)[:2],
        selection=selection,
        notify=notify,
    )
    source = KeptSource(opened, ROOM)  # so that what the survey decodes is not decoded again
    draft = draft_settings(len(source), shape_for(*opened.own_size).tile, asked, recipe)
    check_size(source.spec.height, source.spec.width, draft.filters, draft.tile)
    if draft.blur is not None:
        check_blur(source.spec.height, source.spec.width, draft.blur)
    with progress_bar("reading", len(source)) as advance:
        found = survey(source, advance)
    _report_faults(found.faults, len(source), notify)
    training, held_out = split(found.readable, draft)
    if not found.varied:
        raise InputError(
            f"all {len(found.readable)} images are the same, pixel for pixel; "
            "give images that show how normal parts vary"
        )
    light = draft.light or choose_light(source, training)
    image = source.spec
    with folder_appears_when_complete(folder, force=force, contents=CONTENTS) as partial:
        # Before training, so that a full disk or a vanished file costs no training.
        images = write_held_out(partial, image, read_batches(source, held_out), len(held_out))
        try:
            notify(
                f"{DEMO_NAME if data is None else data}: {len(training)} images to train on, {len(held_out)} held out, "
                f"{image.width}x{image.height} {image.mode}{in_bits(opened.pictures, image.bits)}"
                + (f" in tiles of {draft.tile}" if draft.tile else "")
                + (", brought under even light" if light == "even" else "")
            )
            trained = _train(source, training, held_out, draft, light, notify=notify)
        except KeyboardInterrupt as interrupt:
            raise TrainingError(
                "interrupted before the network's first epoch ended; nothing was written. Start again"
            ) from interrupt
        if len(trained.left_out):
            notify(f"not learnt from at the end, since they stand out: {len(trained.left_out)} images, see {LEFT_OUT}")
        learnt = np.setdiff1d(training, trained.left_out)
        typical = typical_of(trained.autoencoder, source, learnt, trained.settings)
        scoring = trained.settings.scoring(trained.settings.score, typical)
        record = replace(_record(trained, len(training), found.fingerprint, versions), pictures=opened.pictures)
        run = Run(folder, image, scoring, record, None if data is None else str(Path(data).resolve()), selection)
        write_run(partial, run, trained, (source.name(index) for index in trained.left_out.tolist()))
        _draw(partial, run, trained, images)
    return run


def _refuse_inside(folder: Path, data: str | None) -> None:
    if data is not None and folder.resolve().is_relative_to(Path(data).resolve()):
        raise OutputError(f"{folder}: lies within {data}, whose images are trained on; choose an --out outside of it")


def _report_faults(faults: tuple[str, ...], images: int, notify: Notify) -> None:
    for line in unreadable_lines(faults):
        notify(line)
    if len(faults) > MAX_UNREADABLE * images:
        raise InputError(
            f"{len(faults)} of {images} images cannot be read, more than {MAX_UNREADABLE:.0%}; remove or repair them"
        )


def _train(
    source: ImageSource, training: Indices, held_out: Indices, draft: Draft, light: Light, *, notify: Notify
) -> Trained:
    def report(epoch: Epoch) -> None:
        notify(f"epoch {epoch.number}/{draft.epochs}: loss {epoch.loss:.5f}, held-out loss {epoch.held_out_loss:.5f}")

    if scouted(len(training), draft):
        notify("a scout first looks for images that stand out; then the network proper is trained")
    with progress_bar("training", batches(len(training), draft)) as advance:
        trained = train(source, training, held_out, draft, light, on_batch=advance, on_epoch=report)
    if trained.interrupted:
        notify(f"interrupted: keeping the best weights so far, those of epoch {trained.kept}")
    return trained


def _record(trained: Trained, images: int, fingerprint: str, versions: dict[str, str]) -> TrainingRecord:
    everything = asdict(trained.settings) | {
        "filters": list(trained.settings.filters),
        "kept_epoch": trained.kept,
        "interrupted": trained.interrupted,
        "left_out": len(trained.left_out),
    }
    return TrainingRecord(everything, images, fingerprint, versions)


def _draw(folder: Path, run: Run, trained: Trained, held_out: Pixels) -> None:
    detector = draft_detector(trained.autoencoder, run.image, run.scoring, run.training)
    scores = detector.score(held_out)
    rule = SplitConformal(default_rate(len(scores)))
    draw_curve(trained.epochs, trained.kept, folder / CURVE, damaged=bool(trained.settings.repair))
    draw_histogram(scores, calibrate(rule, detector, scores), folder / HISTOGRAM)
    draw_montage(detector, held_out, scores, folder / MONTAGE)
