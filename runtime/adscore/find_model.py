"""Which detector file to use when the command does not name one."""

import os
from collections.abc import Mapping
from pathlib import Path

from adscore.errors import ModelError

VARIABLE = "ADSCORE_MODEL"
FOLDERS = (".", "artifacts", "artifacts/demo")
FILE_NAME = "detector.onnx"


def find_model(named: str | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Returns `named`, else $ADSCORE_MODEL, else the first of FOLDERS' detector.onnx or only .onnx file.

    Raises:
        ModelError: no detector is there, or a folder holds several and none is called detector.onnx.
    """
    if named is not None:
        return Path(named)
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE])
    for folder in map(Path, FOLDERS):
        try:
            models = sorted(path for path in folder.iterdir() if path.suffix == ".onnx")
        except OSError:  # not there, or not for us
            continue
        if folder / FILE_NAME in models:
            return folder / FILE_NAME
        if len(models) > 1:
            listed = ", ".join(map(str, models))
            raise ModelError(f"which detector? {listed} are equally near; choose one with --model")
        if models:
            return models[0]
    looked = ", ".join(str(Path(folder) / FILE_NAME) for folder in FOLDERS)
    raise ModelError(
        f"no detector found; looked at ${VARIABLE} (not set), {looked} and for a single .onnx file beside them; "
        "name one with --model, or make one with adtrain fit and adtrain export"
    )
