"""TensorFlow and Matplotlib as this house needs them: silent, so that stderr is worth reading, and exact."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path


def import_tensorflow() -> None:
    """Imports TensorFlow once and for all, silently.

    Its C++ parts log before they read TF_CPP_MIN_LOG_LEVEL (tensorflow issue 100442), so the descriptor itself is
    turned away for the import; an import that fails still raises.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # oneDNN's kernel for a batch of one moves scores by 1e-5 relative, three times as far from a float64 computation
    # as TensorFlow's own, and both train as fast: see CONTRIBUTING.md, decisions.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    # Whatever the user's own Keras runs on, the graph is TensorFlow's, channels last, in float32.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # Nor do its settings count (an epsilon there would change scores), and where there is no folder it leaves none.
    os.environ["KERAS_HOME"] = str(Path(os.devnull, "keras"))
    quiet_matplotlib()
    with _stderr_discarded():
        tensorflow = import_module("tensorflow")
        config = import_module("keras").config
    # What it logs by Python is advice to programmers: that a robust training traces its graph at each look.
    tensorflow.get_logger().setLevel("ERROR")
    config.set_image_data_format("channels_last")
    config.set_floatx("float32")


def quiet_matplotlib() -> None:
    """Keeps Matplotlib's advice off stderr: that its settings cannot lie in a home that is read-only or not there."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


@contextmanager
def _stderr_discarded() -> Iterator[None]:
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
