import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from adscore import Detector
from adscore.errors import ProviderError
from adscore.installed import FLOOR
from adscore.session import open_session
from tests.conftest import ROOT, Run
from tests.tiny import tiny_detector


@pytest.mark.parametrize("provider", ["auto", "cpu"])
def test_cpu_runs_and_is_named(provider: str) -> None:
    assert Detector(tiny_detector(), provider="auto" if provider == "auto" else "cpu").provider == "cpu"


def test_cuda_on_a_cpu_build_is_refused_with_the_next_step() -> None:
    with pytest.raises(ProviderError) as raised:
        Detector(tiny_detector(), provider="cuda")
    assert str(raised.value).startswith("provider cuda: this is a CPU build of ONNX Runtime (1.")
    assert str(raised.value).endswith(
        "; pip uninstall -y onnxruntime onnxruntime-gpu, then pip install 'adscore[cuda]'"
    )


def test_threads_are_those_this_process_may_use_and_do_not_spin() -> None:
    options = open_session(tiny_detector(), "cpu", None).session.get_session_options()
    assert options.intra_op_num_threads == len(os.sched_getaffinity(0))
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert open_session(tiny_detector(), "cpu", 1).session.get_session_options().intra_op_num_threads == 1


@pytest.mark.parametrize("provider", ["CUDA", "gpu", ""])
def test_an_unknown_provider_is_refused_and_not_taken_for_the_cpu(provider: str) -> None:
    with pytest.raises(ProviderError, match=f"provider '{provider}' is unknown; choose one of auto, cpu, cuda"):
        Detector(tiny_detector(), provider=provider)  # type: ignore[arg-type]


def test_a_signal_while_the_library_loads_is_no_fault_of_the_library() -> None:
    # Whenever it comes, the child ends by it; most moments lie within the loading.
    program = """
import signal, sys
from adscore.errors import ModelError
from adscore.session import open_session
signal.signal(signal.SIGALRM, lambda *_: sys.exit(143))
signal.setitimer(signal.ITIMER_REAL, 0.03)
try:
    open_session(b"", "cpu", 1)
except ModelError:
    signal.pause()
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (143, "")


def another_onnxruntime(folder: Path, module: str, *metadata: tuple[str, str]) -> str:
    """Makes a folder to import from, with this text as the module and these distributions, and returns its path."""
    (folder / "onnxruntime").mkdir(parents=True)
    (folder / "onnxruntime" / "__init__.py").write_text(module)
    for name, version in metadata:
        information = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (information / "top_level.txt").write_text("onnxruntime\n" if name != "onnxruntime-genai" else "genai\n")
    return str(folder)


FATAL = "\nimport os\nos.write(2, b'imported')\nos._exit(9)\n"


@pytest.mark.parametrize(
    ("module", "metadata", "named"),
    [
        ('__version__ = "1.21.1"', [("onnxruntime", "1.21.1")], ("onnxruntime", "1.21.1")),
        ('__version__ = "1.21.0+ds"', [], ("onnxruntime", "1.21.0+ds")),  # a system's, without metadata
        ("", [("onnxruntime-genai", "1.30.0"), ("onnxruntime-gpu", "1.9.0")], ("onnxruntime-gpu", "1.9.0")),
        ("__version__ = '0.5.0'", [("onnxruntime-directml", "0.5.0")], ("onnxruntime-directml", "0.5.0")),
    ],
)
def test_an_old_onnxruntime_is_refused_before_it_is_imported(
    run: Run, detector_file: Path, tmp_path: Path, module: str, metadata: list[tuple[str, str]], named: tuple[str, str]
) -> None:
    path = another_onnxruntime(tmp_path / "old", module + FATAL, *metadata)
    done = run("adscore", "--info", "--model", detector_file, PYTHONPATH=path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        f"error: {' '.join(named)} is older than 1.23, the oldest ONNX Runtime that adscore works with; update it with "
        f"pip install --upgrade '{named[0]}>=1.23'"
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raise ImportError", "ImportError"),
        ("raise AttributeError('_ARRAY_API not found\\nand more')", "_ARRAY_API not found"),
        ("raise SystemError('no such thing')", "no such thing"),
    ],
)
def test_one_that_does_not_import_is_an_error_with_a_reason(
    run: Run, detector_file: Path, tmp_path: Path, fault: str, said: str
) -> None:
    path = another_onnxruntime(tmp_path / "broken", f'__version__ = "1.99.0"\n{fault}\n')
    done = run("adscore", "--info", "--model", detector_file, PYTHONPATH=path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        f"error: ONNX Runtime 1.99.0 cannot be imported ({said}); install it anew, with pip install --force-reinstall "
    )


def test_the_floor_is_that_of_the_packages() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    floors = re.findall(r"onnxruntime[^>]*>=([\d.]+)", " ".join(extras["cpu"] + extras["cuda"]))
    assert floors == [".".join(map(str, FLOOR))] * 2
