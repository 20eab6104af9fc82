"""Where a table may stand, whichever command writes it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.spaces import without_rights
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


@pytest.mark.parametrize("place", ["r", "new/folder/r"])
def test_a_folder_that_takes_no_files_is_found_out_before_the_work(tmp_path: Path, place: str) -> None:
    script = (
        "import sys; from pathlib import Path; from adscore.errors import OutputError; "
        "from adscore.refusals import refuse_existing, refuse_no_file\n"
        "for refuse in (refuse_no_file, lambda place: refuse_existing(place, force=True, contents=())):\n"
        "    try: refuse(Path(sys.argv[1]))\n"
        "    except OutputError as error: print(error)"
    )
    closed = tmp_path / "closed"
    closed.mkdir(0o555)
    done = subprocess.run(
        [*without_rights("dac_override"), sys.executable, "-c", script, f"closed/{place}"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (
        done.stdout.splitlines() == [f"closed/{place}: cannot be written (Permission denied); choose another --out"] * 2
    )
    assert list(closed.iterdir()) == []
