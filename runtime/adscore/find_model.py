"""Which detector file to use when the command does not name one."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from adscore.errors import ModelError

VARIABLE = "ADSCORE_MODEL"
FOLDERS = (".", "artifacts")
FILE_NAME = "detector.onnx"
# That of the demo lies in a clone of the project, where people try it on pictures of their own: it knows its own alone.
DEMO = Path("artifacts/demo")


def find_model(named: str | None, images: Sequence[str] = (), environment: Mapping[str, str] = os.environ) -> Path:
    """Returns `named`, else $ADSCORE_MODEL, else the first of FOLDERS' detector.onnx or only .onnx file.

    Args:
        named: what the user chose.
        images: the inputs; where they all lie among the demo's, its detector is the last choice.
        environment: holds $ADSCORE_MODEL.

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
    demo = DEMO / FILE_NAME
    if demo.is_file() and images and all(_lies_in_demo(image) for image in images):
        return demo
    looked = ", ".join(str(Path(folder) / FILE_NAME) for folder in FOLDERS)
    of_demo = f"; for the demo's, which knows handwritten ones alone, say --model {demo}" if demo.is_file() else ""
    raise ModelError(
        f"no detector found; looked at ${VARIABLE} (not set), {looked} and for a single .onnx file beside them; "
        f"name one with --model, or make one with adtrain fit and adtrain export{of_demo}"
    )


def _lies_in_demo(image: str) -> bool:
    return Path(os.path.realpath(image)).is_relative_to(os.path.realpath(DEMO))
