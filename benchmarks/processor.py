"""What a processor has for arithmetic on floats and bytes, which decides how graphs compare on it."""

import platform
from pathlib import Path

# As Linux calls them, on x86 and on ARM; the kernels of ONNX Runtime, OpenVINO and LiteRT are chosen by these.
_FEATURES = (
    "sse4_1", "avx", "fma", "avx2", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx_vnni", "avx_vnni_int8",
    "amx_int8", "asimd", "asimddp", "i8mm", "bf16", "sve", "sve2", "sme",
)  # fmt: skip


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Returns the architecture and the features, as `x86_64 with avx2, avx512_vnni`.

    Args:
        cpuinfo: where Linux tells of them; other systems do not, and it says so.
    """
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = [
        line.partition(":")[2].split() for line in lines if line.partition(":")[0].strip() in ("flags", "Features")
    ]
    found = [feature for feature in _FEATURES if named and all(feature in each for each in named)]
    return f"{platform.machine()} with {', '.join(found) if found else 'features that the system does not tell'}"
