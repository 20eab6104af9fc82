import subprocess
import sys

import pytest

import adscore


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("statement", ["import adscore.cli", "import adtrain.cli", "import adscore"])
def test_the_commands_start_without_anything_heavy(statement: str) -> None:
    heavy = {"numpy", "onnxruntime", "PIL", "rich", "tensorflow", "keras", "onnx", "matplotlib"}
    assert heavy & loaded_by(statement) == set()


def test_the_words_of_the_contract_need_the_standard_library_only() -> None:
    added = loaded_by("import adscore.spec, adscore.errors") - loaded_by("import json, dataclasses, typing, itertools")
    foreign = {name for name in added if name.partition(".")[0] not in sys.stdlib_module_names | {"adscore"}}
    assert foreign == set()


def test_every_exported_name_is_there() -> None:
    assert dir(adscore) == sorted(adscore.__all__)
    for name in adscore.__all__:
        assert getattr(adscore, name) is not None
    with pytest.raises(AttributeError, match="module 'adscore' has no attribute 'Detektor'"):
        adscore.Detektor  # noqa: B018
