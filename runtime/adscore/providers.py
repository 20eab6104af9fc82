"""Why CUDA does not run here: a diagnosis in one sentence, and the next step."""

import ctypes
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

EXECUTION_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

_DRIVER_LIBRARIES = ("libcuda.so.1", "nvcuda.dll")
_REINSTALL = "pip uninstall -y onnxruntime onnxruntime-gpu, then pip install 'adscore[cuda]'"


def cuda_fault(onnxruntime: Any, complaint: str = "") -> str:
    """Returns why the CUDA provider does not run, from what is installed and what loads.

    Args:
        onnxruntime: the imported module.
        complaint: what ONNX Runtime itself said, if anything; its first line is passed on.
    """
    cpu_build, gpu_build = _installed("onnxruntime"), _installed("onnxruntime-gpu")
    if cpu_build and gpu_build:
        return (
            f"provider cuda: onnxruntime {cpu_build} and onnxruntime-gpu {gpu_build} are both installed and overwrite "
            f"each other; {_REINSTALL}"
        )
    if EXECUTION_PROVIDERS["cuda"] not in onnxruntime.get_available_providers():
        return f"provider cuda: this is a CPU build of ONNX Runtime ({onnxruntime.__version__}); {_REINSTALL}"
    said = f", and ONNX Runtime says: {complaint.partition(chr(10))[0]}" if complaint else ""
    if not _driver_loads():
        return (
            f"provider cuda: no NVIDIA driver was found (libcuda does not load){said}; "
            "install the driver until nvidia-smi lists the GPU, or use --provider cpu"
        )
    return (
        f"provider cuda: the driver loads, but ONNX Runtime could not start CUDA{said}; check that nvidia-smi lists "
        "the GPU, install the libraries with pip install 'adscore[cuda]', or use --provider cpu"
    )


def load_cuda_libraries(onnxruntime: Any) -> str:
    """Loads the CUDA and cuDNN libraries that pip installed, which the system's loader would not find.

    Returns:
        What ONNX Runtime complained of; it prints that to stdout, which belongs to the table.
    """
    said = StringIO()
    if hasattr(onnxruntime, "preload_dlls"):
        with redirect_stdout(said):
            onnxruntime.preload_dlls()
    return said.getvalue().strip()


def _installed(distribution: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # slow to import, and seldom needed

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _driver_loads() -> bool:
    for name in _DRIVER_LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False
