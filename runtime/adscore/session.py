"""An ONNX Runtime session that runs where it was asked to, or says why it cannot."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args

from adscore.cpus import usable_cpus
from adscore.errors import ModelError, ProviderError
from adscore.installed import require_onnxruntime
from adscore.providers import EXECUTION_PROVIDERS, cuda_fault, load_cuda_libraries

ProviderChoice = Literal["auto", "cpu", "cuda"]
Provider = Literal["cpu", "cuda"]

# What ONNX Runtime's bindings make of the exceptions of C++; its own exceptions have no base of their own.
_FAULTS = (RuntimeError, ValueError, MemoryError, IndexError, OverflowError)

_SILENT = 4  # ONNX Runtime logs fatal faults only; the rest is said once, by us


@dataclass(frozen=True)
class Opened:
    """A session, and where it runs."""

    session: Any  # onnxruntime.InferenceSession
    provider: Provider
    fallback: str | None = None  # why "auto" did not take CUDA, where a GPU build is installed


def open_session(model: bytes, provider: ProviderChoice, threads: int | None, *, low_memory: bool = False) -> Opened:
    """Returns an ONNX Runtime session over `model`.

    Args:
        model: the file's content; from bytes, so that the graph can reach no other file.
        provider: "cpu", "cuda", or "auto": CUDA where it runs, else the CPU.
        threads: threads within one operator; by default the CPUs this process may use.
        low_memory: give memory back after every run.

    Raises:
        ProviderError: no ONNX Runtime is installed, it is too old or does not import, or "cuda" was asked for and does
            not run here.
        ModelError: ONNX Runtime refuses the model.
    """
    if provider not in get_args(ProviderChoice):
        raise ProviderError(f"provider {provider!r} is unknown; choose one of {', '.join(get_args(ProviderChoice))}")
    onnxruntime = _import_onnxruntime()
    options = _options(onnxruntime, threads, low_memory=low_memory)
    gpu_build = EXECUTION_PROVIDERS["cuda"] in onnxruntime.get_available_providers()
    if provider == "cpu" or (provider == "auto" and not gpu_build):
        return Opened(_start(onnxruntime, model, options, "cpu"), "cpu")
    try:
        return Opened(_start_on_cuda(onnxruntime, model, options), "cuda")
    except ProviderError as error:
        if provider == "cuda":
            raise
        return Opened(_start(onnxruntime, model, options, "cpu"), "cpu", str(error))


@contextmanager
def onnxruntime_faults(what: str, next_step: str = "export the detector again") -> Iterator[None]:
    """Turns whatever ONNX Runtime raises into a ModelError that begins with `what` and ends with `next_step`."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith("onnxruntime") and not isinstance(error, _FAULTS):
            raise
        first_line = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ModelError(f"{what}: {first_line}; {next_step}") from error


def _import_onnxruntime() -> Any:
    version = "" if "onnxruntime" in sys.modules else require_onnxruntime()
    try:
        import onnxruntime
    except Exception as error:  # a build that does not fit numpy or the system fails in all kinds of ways
        if isinstance(error.__cause__, SystemExit | KeyboardInterrupt):  # a signal came meanwhile
            raise error.__cause__ from None
        said = str(error).strip().partition("\n")[0]
        raise ProviderError(
            f"ONNX Runtime {version} cannot be imported ({said or type(error).__name__}); install it anew, with "
            "pip install --force-reinstall 'adscore[cpu]', or 'adscore[cuda]' for an NVIDIA GPU"
        ) from error
    onnxruntime.set_default_logger_severity(_SILENT)
    return onnxruntime


def _start_on_cuda(onnxruntime: Any, model: bytes, options: Any) -> Any:
    if EXECUTION_PROVIDERS["cuda"] not in onnxruntime.get_available_providers():
        raise ProviderError(cuda_fault(onnxruntime))
    complaints = load_cuda_libraries(onnxruntime)
    try:
        session = _start(onnxruntime, model, options, "cuda")
    except ModelError as error:
        _start(onnxruntime, model, options, "cpu")  # a damaged model raises here too: then it is not CUDA's fault
        raise ProviderError(cuda_fault(onnxruntime, str(error))) from error
    # ONNX Runtime only warns when a provider fails to start, and goes on without it.
    if EXECUTION_PROVIDERS["cuda"] not in session.get_providers():
        raise ProviderError(cuda_fault(onnxruntime, complaints))
    return session


def _start(onnxruntime: Any, model: bytes, options: Any, provider: Provider) -> Any:
    names = [EXECUTION_PROVIDERS[provider], EXECUTION_PROVIDERS["cpu"]]
    with onnxruntime_faults("the detector cannot be loaded"):
        return onnxruntime.InferenceSession(
            model,
            options,
            providers=list(dict.fromkeys(names)),
            enable_fallback=0,  # else a provider that fails later is replaced by the CPU, with a print on stdout
        )


def _options(onnxruntime: Any, threads: int | None, *, low_memory: bool) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or usable_cpus()
    options.inter_op_num_threads = 1  # the graph is one chain: nothing runs beside anything
    # Waiting threads that spin burn a core between batches, which decoding needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena keeps memory from run to run; without it large batches cost twice the time, for pages that come and go.
    options.enable_cpu_mem_arena = not low_memory
    # Every run has the same shape, so memory can be laid out once for all of them; a small board pays for the plan.
    options.enable_mem_pattern = not low_memory
    # A model from bytes may still name files for its weights, and ONNX Runtime looks for them in the current folder.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    options.log_severity_level = _SILENT
    return options
