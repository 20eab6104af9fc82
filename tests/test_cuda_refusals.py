"""What `--provider cuda` says on machines where CUDA cannot run, with the real GPU build of ONNX Runtime.

These run where there is no GPU, which is where refusals matter; on a machine with one they are skipped.
"""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.golden import DEMO, assert_golden

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="CUDA may run here"),
    pytest.mark.skipif(sys.platform != "linux", reason="the GPU build differs elsewhere"),
]


@pytest.fixture(scope="module")
def gpu_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the Python of an environment with onnxruntime-gpu and no CUDA libraries."""
    folder = tmp_path_factory.mktemp("gpu")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install(python, str(ROOT), "onnxruntime-gpu>=1.23")
    return python


def install(python: Path, *what: str) -> None:
    command = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *what]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def score(python: Path, provider: str) -> subprocess.CompletedProcess[str]:
    command = [python.with_name("adscore"), DEMO / "images", "--model", DEMO / "detector.onnx", "--provider", provider]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def test_missing_driver_and_libraries_are_diagnosed(gpu_build: Path) -> None:
    done = score(gpu_build, "cuda")
    assert (done.returncode, done.stdout) == (1, "")
    error = done.stderr.splitlines()[1:]
    assert len(error) == 1
    assert error[0].startswith(
        "error: provider cuda: no NVIDIA driver was found (libcuda does not load), and ONNX Runtime says: "
    )
    assert error[0].endswith("; install the driver until nvidia-smi lists the GPU, or use --provider cpu")


def test_auto_falls_back_and_says_so(gpu_build: Path) -> None:
    done = score(gpu_build, "auto")
    assert done.returncode == 0
    assert_golden(done.stdout)
    _, reason, summary = done.stderr.splitlines()
    assert reason.startswith(
        "running on cpu, since provider cuda: no NVIDIA driver was found (libcuda does not load), and"
    )
    assert "0 unreadable, on cpu (" in summary


def test_both_builds_installed_are_diagnosed(gpu_build: Path) -> None:
    install(gpu_build, "onnxruntime>=1.23")
    done = score(gpu_build, "cuda")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        "are both installed and overwrite each other; pip uninstall -y onnxruntime onnxruntime-gpu, then" in done.stderr
    )
