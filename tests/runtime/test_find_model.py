from pathlib import Path

import pytest

from adscore.errors import ModelError
from adscore.find_model import find_model


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("artifacts/demo", "elsewhere"):
        Path(folder).mkdir(parents=True)


def test_the_nearest_is_taken() -> None:
    order = [
        "artifacts/demo/detector.onnx",
        "artifacts/some.onnx",
        "artifacts/detector.onnx",
        "any.onnx",
        "detector.onnx",
    ]
    for path in order:
        Path(path).touch()
        assert find_model(None, {}) == Path(path)
    assert find_model(None, {"ADSCORE_MODEL": "elsewhere/a.onnx"}) == Path("elsewhere/a.onnx")
    assert find_model("b.onnx", {"ADSCORE_MODEL": "elsewhere/a.onnx"}) == Path("b.onnx")


def test_two_equally_near_are_not_guessed_between() -> None:
    for path in ("a.onnx", "b.onnx", "artifacts/demo/detector.onnx"):
        Path(path).touch()
    with pytest.raises(ModelError) as raised:
        find_model(None, {})
    assert str(raised.value) == "which detector? a.onnx, b.onnx are equally near; choose one with --model"


def test_nothing_found_lists_where_it_looked() -> None:
    with pytest.raises(ModelError) as raised:
        find_model(None, {})
    assert str(raised.value) == (
        "no detector found; looked at $ADSCORE_MODEL (not set), detector.onnx, artifacts/detector.onnx, "
        "artifacts/demo/detector.onnx and for a single .onnx file beside them; "
        "name one with --model, or make one with adtrain fit and adtrain export"
    )
