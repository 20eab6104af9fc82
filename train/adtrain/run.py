"""The run folder: what a training leaves behind, complete enough to export from and to repeat."""

import csv
import json
import platform
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from adexport.scoring import Scoring
from adscore.errors import ADError
from adscore.file_names import as_utf8, from_utf8
from adscore.files import check_regular, read_regular
from adscore.images import Pixels
from adscore.spec import ImageSpec, TrainingRecord
from adscore.spec_json import read_as
from adtrain.selection import BY_NAMES, Selection
from adtrain.training import Trained

WEIGHTS = "autoencoder.keras"
RECORD = "run.json"
HELD_OUT = "held_out.npy"
HISTORY = "history.csv"
LEFT_OUT = "left_out.txt"
RUN_FILES = (WEIGHTS, RECORD, HELD_OUT, HISTORY, LEFT_OUT)

TOOLS = ("adscore", "keras", "numpy", "onnx", "onnx-ir", "onnxruntime", "onnxscript", "pillow", "tensorflow", "tf2onnx")

_MAX_RECORD_BYTES = 1 << 24


class RunError(ADError):
    """A run folder is not there, or does not hold what it should."""


@dataclass(frozen=True)
class Run:
    """A finished training as it lies in its folder."""

    folder: Path
    image: ImageSpec
    scoring: Scoring
    training: TrainingRecord
    data: str | None  # where the images came from; None: the bundled demo set
    selection: Selection = BY_NAMES  # and which of them


def tool_versions() -> dict[str, str]:
    """Returns the versions that a score may depend on."""
    return {"python": platform.python_version(), **{tool: _version(tool) for tool in TOOLS}}


def _version(tool: str) -> str:
    try:
        return version(tool)
    except PackageNotFoundError:  # installed under another name: tensorflow-cpu, onnxruntime-gpu
        return str(import_module(tool).__version__)


def write_run(folder: Path, run: Run, trained: Trained, left_out: Iterable[str]) -> None:
    """Writes weights, record, history and the names of what was left out into `folder`; it may be moved later."""
    trained.autoencoder.save(folder / WEIGHTS, include_optimizer=False)
    record = {
        "image": asdict(run.image),
        "scoring": asdict(run.scoring),
        "training": asdict(run.training),
        "data": None if run.data is None else as_utf8(run.data),
        **asdict(run.selection),
    }
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    names = "".join(f"{as_utf8(name)}\n" for name in left_out)
    (folder / LEFT_OUT).write_text(names, encoding="utf-8", errors="surrogateescape")
    with (folder / HISTORY).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["epoch", "loss", "held_out_loss"])
        rows.writerows([epoch.number, f"{epoch.loss:.9g}", f"{epoch.held_out_loss:.9g}"] for epoch in trained.epochs)


def write_held_out(folder: Path, image: ImageSpec, batches: Iterable[Pixels], count: int) -> Pixels:
    """Writes `count` images, uint8 batches of (n, height, width, channels), and returns them as a memory map."""
    # Written and not mapped: on a full disk a write fails, where a mapped page would end the process.
    with (folder / HELD_OUT).open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, *image.shape)}
        np.lib.format.write_array_header_1_0(file, header)
        for batch in batches:
            file.write(batch.tobytes())
    images: Pixels = np.load(folder / HELD_OUT, mmap_mode="r")
    return images


def load_run(folder: Path) -> Run:
    """Returns the record of a run.

    Raises:
        RunError: there is no run in `folder`, or its record is damaged.
    """
    try:
        record = json.loads(read_regular(folder / RECORD, _MAX_RECORD_BYTES))
        image = read_as(ImageSpec, record["image"], "image")
        scoring = read_as(Scoring, record["scoring"], "scoring")
        training = read_as(TrainingRecord, record["training"], "training")
        data = read_as(str | None, record["data"], "data")
        # Runs from before there was anything to select lack these keys.
        said = {field.name: record[field.name] for field in fields(Selection) if field.name in record}
        selection = read_as(Selection, said, "selection")
        return Run(folder, image, scoring, training, None if data is None else from_utf8(data), selection)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RunError(f"{folder}: no run here ({error.strerror}); train one with adtrain fit") from error
    except OSError as error:
        raise RunError(f"{folder}: its {RECORD} cannot be read ({error.strerror}); check the path") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{folder}: its {RECORD} is damaged ({error}); train again with adtrain fit") from error


def load_weights(run: Run) -> Any:
    """Returns the run's `keras.Model`, read in safe mode, which runs no code from the file.

    Raises:
        RunError: the weights cannot be read, or are those of another network.
    """
    import keras

    try:
        check_regular(run.folder / WEIGHTS)
        # Keras only warns of layers without weights in the file, and leaves them random.
        with warnings.catch_warnings():
            warnings.filterwarnings("error", module="keras")
            autoencoder = keras.saving.load_model(run.folder / WEIGHTS, compile=False, safe_mode=True)
    except Exception as error:  # of a damaged file Keras and HDF5 raise nearly anything
        first_line = str(error).partition("\n")[0] or type(error).__name__
        raise RunError(f"{run.folder}: its {WEIGHTS} cannot be read ({first_line}); train again") from error
    height, width, channels = run.image.shape
    wanted = (None, run.scoring.tile or height, run.scoring.tile or width, channels)
    for shapes in (autoencoder.input_shape, autoencoder.output_shape):
        if shapes != wanted:
            raise RunError(f"{run.folder}: its {WEIGHTS} is a network of {shapes} and not of {wanted}; train again")
    return autoencoder


def load_held_out(run: Run) -> Pixels:
    """Returns the held-out images as a memory map, uint8 (n, height, width, channels).

    Raises:
        RunError: the file cannot be read, or its images are not what the record says.
    """
    try:
        check_regular(run.folder / HELD_OUT)
        images: Any = np.load(run.folder / HELD_OUT, mmap_mode="r")
    except Exception as error:  # a damaged header raises nearly anything
        raise RunError(f"{run.folder}: its {HELD_OUT} cannot be read ({error}); train again") from error
    if not isinstance(images, np.ndarray):
        raise RunError(f"{run.folder}: its {HELD_OUT} is no array; train again")
    if images.dtype != np.uint8 or images.shape[1:] != run.image.shape or not len(images):
        raise RunError(
            f"{run.folder}: its {HELD_OUT} is {images.dtype} {images.shape} and not of {run.image.shape}; train again"
        )
    return images
