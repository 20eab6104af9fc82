"""The plain script that the project grew from, to compare with: python benchmarks/seed_script.py 42 1 2 3 4.

Keras on arrays in memory, `predict`, and a quantile of the errors; of adscore only the bundled set and the network.
"""

import sys

import numpy as np
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split

from adtrain.arrays import load_demo
from adtrain.quiet import import_tensorflow

import_tensorflow()
import keras  # noqa: E402 - after TensorFlow was loaded silently

from adtrain.model import build_autoencoder  # noqa: E402 - it loads Keras

EPOCHS = 20
LEARNING_RATE = 1e-3
QUANTILES = (0.999, 0.99)


def main(seeds: list[int]) -> None:
    """Trains once a seed and prints thresholds, flagged images and average precision."""
    demo = load_demo("train")
    images, is_three = demo.images[..., np.newaxis].astype(np.float32) / 255.0, demo.labels == 3
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        training, held_out = train_test_split(images, test_size=0.2, random_state=seed)
        autoencoder = build_autoencoder(28, 28, 1).autoencoder
        rate = keras.optimizers.schedules.InverseTimeDecay(LEARNING_RATE, 1, LEARNING_RATE / EPOCHS)
        autoencoder.compile(optimizer=keras.optimizers.Adam(rate), loss="mse")
        held_out_pairs = (held_out, held_out)
        autoencoder.fit(training, training, validation_data=held_out_pairs, epochs=EPOCHS, batch_size=32, verbose=0)
        errors = np.mean((images - autoencoder.predict(images, verbose=0)) ** 2, axis=(1, 2, 3))
        found = []
        for quantile in QUANTILES:
            threshold = np.quantile(errors, quantile)
            flagged = errors >= threshold
            found.append(
                f"quantile {quantile}: {threshold:.4f}, {flagged.sum()} flagged, {is_three[flagged].sum()} threes"
            )
        print(f"seed {seed}: {'; '.join(found)}; average precision {average_precision_score(is_three, errors):.3f}")


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [42])
