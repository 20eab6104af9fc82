"""One round of training: a network, the epochs it went through, and the images it was kept from."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from adexport.graph import detector_function
from adexport.scoring import Reduction, Scoring
from adscore.errors import ADError
from adtrain.feed import Feed
from adtrain.light import in_light
from adtrain.model import build_autoencoder, start_at
from adtrain.robust import keep
from adtrain.settings import Settings
from adtrain.source import ImageSource, Indices, read_batches
from adtrain.typical import typical_of

# At most so many images are measured for the mean brightness.
_MEASURED = 256
# At most so many held-out images are looked at after an epoch: a curve to look at, which chooses nothing.
_WATCHED = 512


class TrainingError(ADError):
    """Training could not go on."""


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training images came to; mean squared errors over pixels in 0..1."""

    number: int  # from 1
    loss: float  # over the training images, while the weights were changing
    held_out_loss: float  # over at most 512 of the held-out images, at the end of the epoch


class Round:
    """A network in training; after the epochs in `looks` it looks at all training images, with that limit.

    Attributes:
        autoencoder: `keras.Model` of pictures, or of tiles where the settings have them.
        epochs: what each epoch came to.
        kept: the images it learns from; the looks change them.
    """

    def __init__(
        self,
        source: ImageSource,
        training: Indices,
        settings: Settings,
        looks: Mapping[int, float] | None = None,
        on_epoch: Callable[[Epoch], None] = lambda _: None,
    ) -> None:
        height, width, channels = source.spec.shape
        try:
            built = build_autoencoder(
                settings.tile or height,
                settings.tile or width,
                channels,
                filters=settings.filters,
                latent=settings.latent,
                decoder=settings.decoder,
                momentum=settings.momentum,
            )
        except tf.errors.ResourceExhaustedError as error:
            raise TrainingError("memory is too small for this network; lower --filters, --latent or --size") from error
        # What the network learns from; `source` is what the detector takes.
        self._seen = in_light(source, settings.light)
        if settings.start_at_mean:
            start_at(built, _brightness(self._seen, training))
        self.autoencoder: Any = built.autoencoder
        self.epochs: list[Epoch] = []
        self.kept = training
        self._source, self._training, self._settings = source, training, settings
        self._looks = looks or {}
        self._on_epoch = on_epoch
        self._best_weights: list[NDArray[np.float32]] = []
        self._steps = settings.steps(len(training))
        self.autoencoder.compile(
            optimizer=keras.optimizers.Adam(self._rate()), loss=_trimmed(settings.trim) if settings.trim else "mse"
        )

    @property
    def best(self) -> Epoch:
        """The epoch with the smallest loss over the training images; the held-out ones must not choose."""
        return min(self.epochs, key=lambda epoch: epoch.loss)

    def restore_best(self) -> None:
        """Puts the weights of the best epoch back."""
        self.autoencoder.set_weights(self._best_weights)

    def fit(self, kept: Indices, held_out: Indices, on_batch: Callable[[], None]) -> None:
        """Trains through all epochs, on `kept` of the training images first.

        Raises:
            TrainingError: the loss is no number any more, or memory is too small.
            InputError: an image vanished.
        """

        def end_batch(index: int, logs: dict[str, float]) -> None:  # noqa: ARG001 - Keras passes both by name
            on_batch()

        callback = keras.callbacks.LambdaCallback(on_epoch_end=self._end_epoch, on_train_batch_end=end_batch)
        feed = Feed(self._seen, self._settings)
        self.kept = kept
        done = 0
        try:
            for until in sorted({*self._looks, self._settings.epochs}):
                self.autoencoder.fit(
                    feed.training(self.kept),
                    validation_data=feed.held_out(held_out[:: -(-len(held_out) // _WATCHED)]),
                    initial_epoch=done,
                    epochs=until,
                    # The same number whatever is left out, so that the learning rate ends where it should.
                    steps_per_epoch=self._steps,
                    shuffle=False,  # the feed shuffles itself
                    verbose=0,
                    callbacks=[callback],
                )
                done = until
                if until in self._looks:
                    was_kept = np.isin(self._training, self.kept)
                    self.kept = self._training[keep(self._look(), was_kept, self._looks[until])]
        except tf.errors.ResourceExhaustedError as error:
            raise TrainingError("memory is too small for this training; lower --batch-size or --size") from error
        except tf.errors.OpError:
            feed.raise_fault()
            raise

    def scores(self) -> NDArray[np.float32]:
        """Returns the scores of all training images, (n,): the mean of the map, with tiles of its largest pixels."""
        reduction: Reduction = "top" if self._settings.tile else "mean"
        return self._scored(self._settings.scoring(reduction))

    def _look(self) -> NDArray[np.float32]:
        """Returns the scores of all training images that a look goes by, (n,)."""
        settings = self._settings
        if settings.tile or settings.repair:
            return self.scores()
        # Without damage the share that is unexplained tells rare images from anomalies better than the error itself.
        typical = typical_of(self.autoencoder, self._source, self.kept, settings)
        return self._scored(settings.scoring("relative", typical))

    def _scored(self, scoring: Scoring) -> NDArray[np.float32]:
        score = detector_function(self.autoencoder, self._source.spec, scoring)
        images = read_batches(self._source, self._training)
        return np.concatenate([score(tf.constant(batch))["score"].numpy() for batch in images])

    def _end_epoch(self, index: int, logs: dict[str, float]) -> None:
        epoch = Epoch(index + 1, logs["loss"], logs["val_loss"])
        if not math.isfinite(epoch.loss + epoch.held_out_loss):
            raise TrainingError(
                f"the loss is {epoch.loss} after epoch {epoch.number}; train with a smaller --learning-rate"
            )
        # The weights first: Ctrl-C may come between these lines.
        if not self.epochs or epoch.loss < self.best.loss:
            self._best_weights = self.autoencoder.get_weights()
        self.epochs.append(epoch)
        self._on_epoch(epoch)

    def _rate(self) -> Any:
        """Returns the learning rate as a function of the number of batches done."""
        settings = self._settings
        if settings.decay is None:
            return keras.optimizers.schedules.CosineDecay(settings.learning_rate, settings.epochs * self._steps)
        return keras.optimizers.schedules.InverseTimeDecay(settings.learning_rate, 1, settings.decay)


def _brightness(source: ImageSource, training: Indices) -> NDArray[np.float32]:
    """Returns the mean brightness of some of the images, (channels,) in 0..1."""
    some = training[:: -(-len(training) // _MEASURED)]
    total = sum(batch.mean(axis=(1, 2)).sum(axis=0) for batch in read_batches(source, some))
    brightness: NDArray[np.float32] = np.asarray(total / len(some) / 255.0, np.float32)
    return brightness


def _trimmed(share: float) -> Callable[[Any, Any], Any]:
    """Returns the mean squared error of a batch without the given share of its images, those of the largest errors."""

    def loss(images: Any, reconstructions: Any) -> Any:
        errors = tf.reduce_mean(tf.square(images - reconstructions), axis=(1, 2, 3))
        kept = tf.cast(tf.math.ceil((1 - share) * tf.cast(tf.size(errors), tf.float32)), tf.int32)
        return tf.reduce_mean(tf.sort(errors)[:kept])

    return loss
