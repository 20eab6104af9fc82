"""Fitting the autoencoder: images in by index, weights out; Ctrl-C ends it early and keeps the best."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from adexport.scoring import Light
from adscore.errors import InputError
from adtrain.robust import MANY, MANY_LIMIT, MIN_IMAGES, SCOUT_LIMIT, look_after, scout_epochs, scout_settings, within
from adtrain.round import Epoch, Round, TrainingError
from adtrain.settings import Dials, Draft, Settings
from adtrain.source import ImageSource, Indices

__all__ = ["Epoch", "Trained", "TrainingError", "batches", "split", "train"]


@dataclass(frozen=True)
class Trained:
    """A fitted autoencoder."""

    autoencoder: Any  # keras.Model
    epochs: tuple[Epoch, ...]
    kept: int  # the epoch whose weights these are
    interrupted: bool
    settings: Settings
    left_out: Indices  # training images that stood out and were not learnt from at the end, ascending


def split(indices: Indices, settings: Dials) -> tuple[Indices, Indices]:
    """Returns (training, held-out) indices, each ascending, drawn with the seed.

    Raises:
        InputError: there are too few images for both parts to hold one.
    """
    count = int(len(indices) * settings.held_out)
    if count < 1 or count >= len(indices):
        raise InputError(
            f"{len(indices)} images cannot be split with --held-out {settings.held_out:g}: both parts need one; "
            "give more images"
        )
    shuffled = np.random.default_rng(settings.seed).permutation(indices)
    return np.sort(shuffled[count:]), np.sort(shuffled[:count])


def scouted(images: int, settings: Dials) -> bool:
    """Returns whether a scout goes before the training on so many images."""
    return settings.robust and images >= MIN_IMAGES


def batches(images: int, settings: Dials) -> int:
    """Returns the number of batches in the whole training on so many images, for a progress bar."""
    epochs = settings.epochs + (scout_epochs(settings.epochs) if scouted(images, settings) else 0)
    return epochs * settings.steps(images)


def train(
    source: ImageSource,
    training: Indices,
    held_out: Indices,
    draft: Draft,
    light: Light,
    *,
    on_batch: Callable[[], None] = lambda: None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> Trained:
    """Returns the autoencoder fitted to the training images: Adam on the mean squared error.

    The same images and draft give the same weights on the same machine. A finished training keeps its last
    weights; an interrupted one those of the epoch with the smallest loss over the training images.

    Args:
        source: the images.
        training: indices of those to fit.
        held_out: indices of those to measure only.
        draft: the dials; the scout decides what is open in it.
        light: how the images are lit, where the draft leaves it open.
        on_batch: called after each batch.
        on_epoch: called after each epoch of the network proper; the scout of a robust training goes before it.

    Raises:
        TrainingError: the loss is no number any more.
        KeyboardInterrupt: Ctrl-C came before the first epoch ended.
        InputError: the images' size does not fit the network, or an image vanished.
    """
    keras.utils.set_random_seed(draft.seed)
    tf.config.experimental.enable_op_determinism()
    kept, many = training, False
    if scouted(len(training), draft):
        scout = Round(source, training, scout_settings(draft, light))
        scout.fit(training, held_out, on_batch)
        scores = scout.scores()
        inside = within(scores, SCOUT_LIMIT)
        kept = training[inside]
        many = float(np.mean(~within(scores, MANY_LIMIT, inside))) > MANY
    settings = draft.settled(light, many=many)
    proper = Round(source, training, settings, look_after(settings.epochs) if settings.robust else {}, on_epoch)
    interrupted = False
    try:
        proper.fit(kept, held_out, on_batch)
    except KeyboardInterrupt:
        if not proper.epochs:
            raise
        proper.restore_best()
        interrupted = True
    number = proper.best.number if interrupted else proper.epochs[-1].number
    left_out = np.setdiff1d(training, proper.kept)
    return Trained(proper.autoencoder, tuple(proper.epochs), number, interrupted, settings, left_out)
