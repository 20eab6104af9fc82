"""Fitting the autoencoder: images in by index, weights out; Ctrl-C ends it early and keeps the best."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from adexport.graph import scale
from adscore.errors import ADError, InputError
from adscore.images import Pixels
from adtrain.model import build_autoencoder
from adtrain.settings import Settings
from adtrain.source import ImageSource, Indices, read_batch


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
        height, width, channels, filters=settings.filters, latent=settings.latent
    ).autoencoder
    rate = keras.optimizers.schedules.InverseTimeDecay(settings.learning_rate, 1, settings.decay_rate)
    autoencoder.compile(optimizer=keras.optimizers.Adam(rate), loss="mse")

    reader = _Reader(source)
    history = _History(autoencoder, on_epoch)

    def end_batch(index: int, logs: dict[str, float]) -> None:  # noqa: ARG001 - Keras passes both by name
        on_batch()

    order = tf.data.Dataset.range(len(training))
    callback = keras.callbacks.LambdaCallback(on_epoch_end=history.end_epoch, on_train_batch_end=end_batch)
    try:
        autoencoder.fit(
            _batches(reader, training, order.shuffle(len(training), seed=settings.seed), settings.batch_size),
            validation_data=_batches(reader, held_out, tf.data.Dataset.range(len(held_out)), settings.batch_size),
            epochs=settings.epochs,
            shuffle=False,  # the data set shuffles itself
            verbose=0,
            callbacks=[callback],
        )
    except KeyboardInterrupt:
        if not history.epochs:
            raise
        autoencoder.set_weights(history.best_weights)
        return Trained(autoencoder, tuple(history.epochs), history.best.number, interrupted=True)
    except tf.errors.ResourceExhaustedError as error:
        raise TrainingError("memory is too small for this training; lower --batch-size or --size") from error
    except tf.errors.OpError:
        reader.raise_fault()
        raise
    return Trained(autoencoder, tuple(history.epochs), history.epochs[-1].number, interrupted=False)


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


class _Reader:
    """Reads batches for TensorFlow, and keeps what went wrong, which TensorFlow buries in a message of its own."""

    def __init__(self, source: ImageSource) -> None:
        self.image = source.spec
        self._source = source
        self._fault: InputError | None = None

    def read(self, indices: Indices) -> Pixels:
        try:
            return read_batch(self._source, indices)
        except InputError as error:
            self._fault = error
            raise

    def raise_fault(self) -> None:
        if self._fault is not None:
            raise self._fault from None


def _batches(reader: _Reader, indices: Indices, order: Any, size: int) -> Any:
    """Returns a data set of (image, image) batches that decodes while the network works and holds few at a time.

    Args:
        reader: of the images.
        indices: which of them.
        order: data set of positions in `indices`.
        size: images in a batch.
    """

    def load(positions: Any) -> Any:
        images = tf.numpy_function(lambda chosen: reader.read(indices[chosen]), [positions], tf.uint8)
        images.set_shape((None, *reader.image.shape))
        scaled = scale(images)
        return scaled, scaled

    return order.batch(size).map(load).prefetch(tf.data.AUTOTUNE)
