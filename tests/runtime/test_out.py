"""Where a table may stand, whichever command writes it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.tiny import paint

pytestmark = pytest.mark.usefixtures("detector_file")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png"):
        paint(tmp_path / "images" / name, 0)
    return tmp_path / "images"


@pytest.mark.parametrize("watch", [[], ["--watch"]])
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to(os.devnull)])
def test_what_is_no_file_is_neither_replaced_nor_waited_for(
    run: Run, tmp_path: Path, images: Path, watch: list[str], make: Callable[[Path], None]
) -> None:
    make(tmp_path / "r.csv")
    before = (tmp_path / "r.csv").lstat()
    done = run("adscore", *watch, images, "--out", "r.csv")
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == ["error: r.csv: is not a regular file; choose another --out"]
    assert os.path.samestat((tmp_path / "r.csv").lstat(), before)
    assert {path.name for path in tmp_path.iterdir()} == {"images", "detector.onnx", "r.csv"}


def test_a_table_has_any_name_that_the_system_takes(run: Run, tmp_path: Path, images: Path) -> None:
    name = "x" * 250 + ".csv"
    assert run("adscore", images, "--out", name).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"images", "detector.onnx", name}


@pytest.mark.parametrize("watch", [[], ["--watch"]])
@pytest.mark.parametrize("folder", ["", "new/"])
def test_a_name_that_the_system_does_not_take_is_refused_at_once(
    run: Run, tmp_path: Path, images: Path, folder: str, watch: list[str]
) -> None:
    name = folder + "x" * 252 + ".csv"
    done = run("adscore", *watch, images, "--out", name)
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [
        f"error: {name}: cannot be written (File name too long); choose another --out"
    ]
    assert [path.name for path in tmp_path.rglob(".*")] == []


def test_a_table_among_the_images_is_no_image(run: Run, images: Path) -> None:
    for _ in range(2):
        done = run("adscore", "images", "--out", "images/results.csv")
        assert (done.returncode, (images / "results.csv").read_text().count("\n")) == (0, 3)
