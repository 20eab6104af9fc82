"""Which ONNX Runtime is installed, told from its files: the import of an old one may end the process.

Wheels of several names provide the one module (for CPU, GPU, DirectML, OpenVINO, training), systems have packages of
their own, and boards their makers' builds without any metadata. So the module's own text is asked first.
"""

import re
from importlib.util import find_spec
from pathlib import Path

from adscore.errors import ProviderError

FLOOR = (1, 23)

_VERSION = re.compile(r"""^__version__\s*=\s*["']((\d+)\.(\d+)[^"']*)""", re.MULTILINE)
_INSTALL = "install it with pip install 'adscore[cpu]', or 'adscore[cuda]' for an NVIDIA GPU"


def require_onnxruntime() -> str:
    """Returns the version of the ONNX Runtime that an import would load, or "of an unknown version".

    Raises:
        ProviderError: there is none, or one that is too old.
    """
    found = find_spec("onnxruntime")
    if found is None:
        raise ProviderError(f"ONNX Runtime cannot be imported (No module named 'onnxruntime'); {_INSTALL}")
    if found.origin is None:
        (folder, *_) = found.submodule_search_locations or [""]
        raise ProviderError(
            f"ONNX Runtime cannot be imported ({folder} is a folder without a module in it); {_INSTALL}"
        )
    module = Path(found.origin)
    match = _VERSION.search(_text(module)) or re.match(r"((\d+)\.(\d+).*)", _by_metadata(module)[1])
    if match is None:
        return "of an unknown version"
    version, *numbers = match.groups()
    if tuple(map(int, numbers)) < FLOOR:
        floor = ".".join(map(str, FLOOR))
        name = _by_metadata(module)[0]
        raise ProviderError(
            f"{name} {version} is older than {floor}, the oldest ONNX Runtime that adscore works with; update it with "
            f"pip install --upgrade '{name}>={floor}'"
        )
    return version


def _text(module: Path) -> str:
    try:
        return module.read_text(encoding="utf-8", errors="replace") if module.suffix == ".py" else ""
    except OSError:
        return ""  # the import will say why


def _by_metadata(module: Path) -> tuple[str, str]:
    """Returns (name, version) of the distribution that the module came with, or else the usual name and nothing."""
    from importlib.metadata import distributions  # slow to import, and seldom needed

    for distribution in distributions(path=[str(module.parent.parent)]):
        name = str(distribution.metadata["Name"] or "")
        provided = (distribution.read_text("top_level.txt") or name.replace("-", "_")).split()
        if name.lower().startswith("onnxruntime") and "onnxruntime" in provided:
            return name, distribution.version
    return "onnxruntime", ""
