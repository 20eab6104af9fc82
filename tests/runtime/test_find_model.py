from pathlib import Path

import pytest

from adscore.errors import ModelError
from adscore.find_model import find_model

NOTHING = (
    "no detector found; looked at $ADSCORE_MODEL (not set), detector.onnx, artifacts/detector.onnx and for a single "
    ".onnx file beside them; name one with --model, or make one with adtrain fit and adtrain export"
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("artifacts/demo", "elsewhere"):
        Path(folder).mkdir(parents=True)


def test_the_nearest_is_taken() -> None:
    Path("artifacts/demo/detector.onnx").touch()
    for path in ["artifacts/some.onnx", "artifacts/detector.onnx", "any.onnx", "detector.onnx"]:
        Path(path).touch()
        for images in ((), ("artifacts/demo/images",)):
            assert find_model(None, images, {}) == Path(path)
    assert find_model(None, (), {"ADSCORE_MODEL": "elsewhere/a.onnx"}) == Path("elsewhere/a.onnx")
    assert find_model("b.onnx", (), {"ADSCORE_MODEL": "elsewhere/a.onnx"}) == Path("b.onnx")


def test_the_demos_is_taken_for_the_demos_own_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("artifacts/demo/detector.onnx").touch()
    for own in ("artifacts/demo", "./artifacts/demo/images", str(tmp_path / "artifacts/demo/images/1.png")):
        assert find_model(None, [own], {}) == Path("artifacts/demo/detector.onnx")
    Path("linked").symlink_to("artifacts/demo")
    assert find_model(None, ["linked"], {}) == Path("artifacts/demo/detector.onnx")
    monkeypatch.chdir("artifacts/demo")
    assert find_model(None, ["/elsewhere"], {}) == Path("detector.onnx")


@pytest.mark.parametrize("images", [(), ["elsewhere"], ["-"], ["artifacts"], ["artifacts/demo", "elsewhere"]])
def test_the_demos_is_taken_for_no_others(images: list[str]) -> None:
    Path("artifacts/demo/detector.onnx").touch()
    with pytest.raises(ModelError) as raised:
        find_model(None, images, {})
    assert str(raised.value) == (
        f"{NOTHING}; for the demo's, which knows handwritten ones alone, say --model artifacts/demo/detector.onnx"
    )


def test_two_equally_near_are_not_guessed_between() -> None:
    for path in ("a.onnx", "b.onnx", "artifacts/demo/detector.onnx"):
        Path(path).touch()
    with pytest.raises(ModelError) as raised:
        find_model(None, (), {})
    assert str(raised.value) == "which detector? a.onnx, b.onnx are equally near; choose one with --model"


def test_nothing_found_lists_where_it_looked() -> None:
    with pytest.raises(ModelError) as raised:
        find_model(None, ["artifacts/demo"], {})
    assert str(raised.value) == NOTHING
