"""What the network is fed: batches of whole pictures or of tiles, damaged where it learns to repair."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from adscore.errors import InputError
from adscore.images import Pixels
from adtrain.repair import damage
from adtrain.settings import Settings
from adtrain.source import ImageSource, Indices, read_image

Floats = NDArray[np.float32]


class Feed:
    """Batches of (input, target) for Keras, read while the network works; few of them are held at a time."""

    def __init__(self, source: ImageSource, settings: Settings) -> None:
        self._source = source
        self._settings = settings
        height, width, channels = source.spec.shape
        self._shape = (settings.tile or height, settings.tile or width, channels)
        self._begun = 0  # data sets made so far, so that each draws other tiles and damage
        self._fault: InputError | None = None

    def training(self, indices: Indices) -> Any:
        """Returns an endless data set of shuffled batches."""
        self._begun += 1
        key = (self._settings.seed, self._begun)
        order = tf.data.Dataset.range(len(indices)).repeat(self._settings.views)
        views = len(indices) * self._settings.views
        order = order.shuffle(views, seed=self._settings.seed + self._begun).repeat().batch(self._settings.batch_size)

        def load(number: int, positions: Indices) -> tuple[Floats, Floats]:
            random = np.random.default_rng((*key, number))
            images = self._read(indices[positions], random)
            return (damage(images, random) if self._settings.repair else images), images

        numbered = tf.data.Dataset.zip((tf.data.Dataset.range(2**62), order))
        return self._pairs(numbered, load)

    def held_out(self, indices: Indices) -> Any:
        """Returns a data set of undamaged batches, the same whenever it is read."""
        order = tf.data.Dataset.range(len(indices)).batch(self._settings.batch_size)

        def load(number: int, positions: Indices) -> tuple[Floats, Floats]:
            images = self._read(indices[positions], np.random.default_rng((self._settings.seed, 0, number)))
            return images, images

        return self._pairs(tf.data.Dataset.zip((tf.data.Dataset.range(2**62), order)), load)

    def raise_fault(self) -> None:
        """Raises what went wrong in reading, which TensorFlow buries in a message of its own."""
        if self._fault is not None:
            raise self._fault from None

    def _pairs(self, numbered: Any, load: Any) -> Any:
        def pair(number: Any, positions: Any) -> Any:
            both = tf.numpy_function(load, [number, positions], (tf.float32, tf.float32))
            for images in both:
                images.set_shape((None, *self._shape))
            return tuple(both)

        return numbered.map(pair).prefetch(tf.data.AUTOTUNE)

    def _read(self, indices: Indices, random: np.random.Generator) -> Floats:
        height, width, _ = self._shape
        batch: Pixels = np.empty((len(indices), *self._shape), np.uint8)
        for row, index in enumerate(indices.tolist()):
            try:
                image = read_image(self._source, index)
            except InputError as error:
                self._fault = error
                raise
            top, left = (
                int(random.integers(whole - part + 1))
                for whole, part in zip(image.shape, (height, width), strict=False)
            )
            batch[row] = image[top : top + height, left : left + width]
        return batch.astype(np.float32) / np.float32(255.0)
