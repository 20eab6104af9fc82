import os
import subprocess
import sys

import pytest

from adscore import Detector
from adscore.errors import ProviderError
from adscore.session import open_session
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
