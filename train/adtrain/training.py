"""Fitting the autoencoder: images in by index, weights out; Ctrl-C ends it early and keeps the best."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from adexport.graph import detector_function
from adexport.scoring import Reduction, Scoring
from adscore.errors import ADError, InputError
from adtrain.feed import Feed
from adtrain.model import build_autoencoder
from adtrain.robust import looks, within
from adtrain.settings import Settings
from adtrain.source import ImageSource, Indices, read_batches


class TrainingError(ADError):
    """Training could not go on."""


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training images came to; mean squared errors over pixels in 0..1."""

    number: int  # from 1
    loss: float  # over the training images, while the weights were changing
    held_out_loss: float  # over the held-out images, at the end of the epoch


@dataclass(frozen=True)
class Trained:
    """A fitted autoencoder."""

    autoencoder: Any  # keras.Model
    epochs: tuple[Epoch, ...]
    kept: int  # the epoch whose weights these are
    interrupted: bool
    left_out: Indices  # training images that stood out and were not learnt from at the end, ascending


def split(indices: Indices, settings: Settings) -> tuple[Indices, Indices]:
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


def train(
    source: ImageSource,
    training: Indices,
    held_out: Indices,
    settings: Settings,
    *,
    on_batch: Callable[[], None] = lambda: None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> Trained:
    """Returns the autoencoder fitted to the training images: Adam on the mean squared error.

    The same images and settings give the same weights on the same machine. A finished training keeps its last
    weights; an interrupted one those of the epoch with the smallest held-out loss.

    Args:
        source: the images.
        training: indices of those to fit.
        held_out: indices of those to measure only.
        settings: the dials.
        on_batch: called after each batch.
        on_epoch: called after each epoch.

    Raises:
        TrainingError: the loss is no number any more.
        KeyboardInterrupt: Ctrl-C came before the first epoch ended.
        InputError: the images' size does not fit the network, or an image vanished.
    """
    keras.utils.set_random_seed(settings.seed)
    tf.config.experimental.enable_op_determinism()
    height, width, channels = source.spec.shape
    autoencoder = build_autoencoder(
        settings.tile or height,
        settings.tile or width,
        channels,
        filters=settings.filters,
        latent=settings.latent,
        decoder=settings.decoder,
    ).autoencoder
    feed = Feed(source, settings)
    steps = feed.steps(len(training))
    autoencoder.compile(optimizer=keras.optimizers.Adam(_rate(settings, steps)), loss="mse")
    history = _History(autoencoder, on_epoch)
    limits = looks(settings.epochs) if settings.robust else {}
    kept, done = training, 0

    def end_batch(index: int, logs: dict[str, float]) -> None:  # noqa: ARG001 - Keras passes both by name
        on_batch()

    callback = keras.callbacks.LambdaCallback(on_epoch_end=history.end_epoch, on_train_batch_end=end_batch)
    try:
        for until in sorted({*limits, settings.epochs}):
            autoencoder.fit(
                feed.training(kept),
                validation_data=feed.held_out(held_out),
                initial_epoch=done,
                epochs=until,
                steps_per_epoch=steps,
                shuffle=False,  # the feed shuffles itself
                verbose=0,
                callbacks=[callback],
            )
            done = until
            if until in limits:
                kept = training[within(_scores(autoencoder, source, training, settings), limits[until])]
    except KeyboardInterrupt:
        if not history.epochs:
            raise
        autoencoder.set_weights(history.best_weights)
        return _trained(autoencoder, history, np.setdiff1d(training, kept), interrupted=True)
    except tf.errors.ResourceExhaustedError as error:
        raise TrainingError("memory is too small for this training; lower --batch-size or --size") from error
    except tf.errors.OpError:
        feed.raise_fault()
        raise
    return _trained(autoencoder, history, np.setdiff1d(training, kept), interrupted=False)


def _trained(autoencoder: Any, history: "_History", left_out: Indices, *, interrupted: bool) -> Trained:
    kept = history.best.number if interrupted else history.epochs[-1].number
    return Trained(autoencoder, tuple(history.epochs), kept, interrupted, left_out)


def _rate(settings: Settings, steps: int) -> Any:
    """Returns the learning rate as a function of the number of batches done."""
    if settings.decay is None:
        return keras.optimizers.schedules.CosineDecay(settings.learning_rate, settings.epochs * steps)
    return keras.optimizers.schedules.InverseTimeDecay(settings.learning_rate, 1, settings.decay)


def _scores(autoencoder: Any, source: ImageSource, indices: Indices, settings: Settings) -> NDArray[np.float32]:
    """Returns the scores, (n,), by which images stand out: the mean of the map, of its largest pixels with tiles."""
    reduction: Reduction = "top" if settings.tile else "mean"
    function = detector_function(autoencoder, source.spec, Scoring(reduction, settings.blur, settings.tile))
    return np.concatenate([function(tf.constant(batch))["score"].numpy() for batch in read_batches(source, indices)])


class _History:
    """The epochs so far, and the weights after the best of them."""

    def __init__(self, autoencoder: Any, on_epoch: Callable[[Epoch], None]) -> None:
        self.epochs: list[Epoch] = []
        self.best_weights: list[NDArray[np.float32]] = []
        self._autoencoder = autoencoder
        self._on_epoch = on_epoch

    @property
    def best(self) -> Epoch:
        """The epoch with the smallest held-out loss."""
        return min(self.epochs, key=lambda epoch: epoch.held_out_loss)

    def end_epoch(self, index: int, logs: dict[str, float]) -> None:
        epoch = Epoch(index + 1, logs["loss"], logs["val_loss"])
        if not math.isfinite(epoch.loss + epoch.held_out_loss):
            raise TrainingError(
                f"the loss is {epoch.loss} after epoch {epoch.number}; train with a smaller --learning-rate"
            )
        # The weights first: Ctrl-C may come between these lines.
        if not self.epochs or epoch.held_out_loss < self.best.held_out_loss:
            self.best_weights = self._autoencoder.get_weights()
        self.epochs.append(epoch)
        self._on_epoch(epoch)
