"""What every test may use: the commands as a user runs them, and a tiny detector on disk."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tiny import tiny_detector

ROOT = Path(__file__).parent.parent

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Returns a function that runs an installed command in `tmp_path`, as from a shell without a terminal."""

    def run_command(*arguments: str | Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        script, *rest = map(str, arguments)
        clean = {name: value for name, value in os.environ.items() if name != "ADSCORE_MODEL"}
        return subprocess.run(
            [str(Path(sys.executable).with_name(script)), *rest],
            cwd=tmp_path,
            input=stdin,
            env=clean | {"COLUMNS": "200"} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run_command


@pytest.fixture
def detector_file(tmp_path: Path) -> Path:
    """Writes the tiny detector where the command finds it, and returns its path."""
    path = tmp_path / "detector.onnx"
    path.write_bytes(tiny_detector())
    return path
