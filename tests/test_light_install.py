"""What a board gets: the wheel in a fresh environment, without the training stack."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.golden import assert_golden

pytestmark = pytest.mark.slow

MAX_PACKAGES = 20
MAX_WHEEL_BYTES = 60_000_000


def call(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Builds the project's wheel and fetches what `adscore[cpu]` needs beside it."""
    folder = tmp_path_factory.mktemp("wheels")
    built = call(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("adscore-*.whl")
    fetch = ("-m", "pip", "download", "-q", "-c", ROOT / "constraints.txt", "-d", folder)
    fetched = call(sys.executable, *fetch, f"{wheel}[cpu]", cwd=folder)
    assert fetched.returncode == 0, fetched.stderr
    return folder


@pytest.fixture(scope="module")
def light(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the scripts folder of a fresh environment that holds the wheel and the CPU extra."""
    folder = tmp_path_factory.mktemp("light")
    venv.create(folder, with_pip=True)
    (wheel,) = wheels.glob("adscore-*.whl")
    python = folder / "bin" / "python"
    install = ("-m", "pip", "install", "-q", "--no-index", "--find-links", wheels)
    installed = call(python, *install, f"{wheel}[cpu]", cwd=folder)
    assert installed.returncode == 0, installed.stderr
    return folder / "bin"


def packages(light: Path) -> set[str]:
    code = "import importlib.metadata as m; print(*{d.metadata['Name'].lower() for d in m.distributions()})"
    return set(call(light / "python", "-c", code, cwd=light).stdout.split()) - {"pip", "setuptools"}


def test_it_is_light(light: Path, wheels: Path) -> None:
    installed = packages(light)
    assert {"adscore", "onnxruntime", "numpy", "pillow", "typer"} <= installed
    assert installed & {"tensorflow", "keras", "onnx", "tf2onnx", "matplotlib", "scikit-learn"} == set()
    assert len(installed) <= MAX_PACKAGES, sorted(installed)
    assert sum(wheel.stat().st_size for wheel in wheels.glob("*.whl")) <= MAX_WHEEL_BYTES


def test_it_scores_the_demo_images(light: Path, tmp_path: Path) -> None:
    (tmp_path / "artifacts").symlink_to(ROOT / "artifacts")
    done = call(
        light / "adscore",
        "artifacts/demo/images",
        "--model",
        "artifacts/demo/detector.onnx",
        "--out",
        "r.csv",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert_golden((tmp_path / "r.csv").read_text())


@pytest.mark.parametrize("arguments", [[], ["fit"], ["export"], ["evaluate", "a", "b"]])
def test_adtrain_says_what_to_install(light: Path, tmp_path: Path, arguments: list[str]) -> None:
    done = call(light / "adtrain", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: adtrain needs keras, matplotlib, onnx, onnx_ir, onnxscript, sklearn, tensorflow, tf2onnx, which the "
        "scorer does not; pip install 'adscore[train]'\n"
    )


def test_help_works_all_the_same(light: Path, tmp_path: Path) -> None:
    done = call(light / "adtrain", "fit", "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--held-out" in done.stdout


def test_without_onnxruntime_it_says_which_extra_to_install(wheels: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=True)
    python = tmp_path / "bare" / "bin" / "python"
    (wheel,) = wheels.glob("adscore-*.whl")
    installed = call(python, "-m", "pip", "install", "-q", "--no-index", "--find-links", wheels, wheel, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    model = ROOT / "artifacts" / "demo" / "detector.onnx"
    done = call(python.with_name("adscore"), ROOT / "artifacts" / "demo" / "images", "--model", model, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: ONNX Runtime cannot be imported (No module named 'onnxruntime'); "
        "install it with pip install 'adscore[cpu]', or 'adscore[cuda]' for an NVIDIA GPU"
    )
