"""What the training stack says and leaves where a home is read-only, or holds another's settings: nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny import paint, tiny_detector

NO_HOME = str(Path(os.devnull, "home"))


def environment(folder: Path, home: str | None) -> dict[str, str]:
    """Returns one with this home, or none, and a folder for temporary files of its own."""
    (folder / "temporary").mkdir()
    clean = {
        name: value
        for name, value in os.environ.items()
        if name != "HOME" and not name.startswith(("XDG_", "MPL", "KERAS"))
    }
    return clean | {"TMPDIR": str(folder / "temporary")} | ({} if home is None else {"HOME": home})


def test_an_evaluation_needs_no_home(tmp_path: Path) -> None:
    (tmp_path / "detector.onnx").write_bytes(tiny_detector())
    for kind, grey in (("good", 10), ("scratch", 210)):
        paint(tmp_path / "data" / "test" / kind / "a.png", grey)
    done = subprocess.run(
        [Path(sys.executable).with_name("adtrain"), "evaluate", "detector.onnx", "data", "--out", "evaluation"],
        cwd=tmp_path, env=environment(tmp_path, NO_HOME), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "figures and pictures: evaluation\n")
    assert list((tmp_path / "temporary").iterdir()) == []


LOADED = """
from adtrain.quiet import import_tensorflow
import_tensorflow()
import adtrain.pictures
import keras
from keras.src.backend.config import keras_home
print(keras.config.epsilon(), keras.backend.backend(), keras.config.floatx(), keras_home())
"""


@pytest.mark.slow
@pytest.mark.parametrize("home", ["none", "another's"])
def test_keras_takes_no_settings_from_a_home_and_leaves_none(tmp_path: Path, home: str) -> None:
    settings = {"epsilon": 0.5, "backend": "jax", "floatx": "float16", "image_data_format": "channels_first"}
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=tmp_path, env=environment(tmp_path, NO_HOME if home == "none" else str(tmp_path)),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    *found, keras_home = done.stdout.split()
    assert found == ["1e-07", "tensorflow", "float32"]
    assert not Path(keras_home).exists()
    assert list((tmp_path / "temporary").iterdir()) == []
