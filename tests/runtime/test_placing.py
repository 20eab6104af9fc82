"""What a table that is there keeps when another takes its place: mode, owner, links, and its place in a container."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from adscore.placing import take_the_place
from tests.conftest import Run
from tests.feeding import KEPT, Feeding
from tests.spaces import MOUNTS, apart, without_rights
from tests.tiny import paint

pytestmark = pytest.mark.usefixtures("detector_file")

ADSCORE = str(Path(sys.executable).with_name("adscore"))
REFUSED_FOLDER = (
    "error: {0}: its folder takes no new files ({1}), and a result waits there until it is complete; "
    "choose an --out in another folder"
)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png"):
        paint(tmp_path / "images" / name, 0)
    return tmp_path / "images"


def rows(table: Path) -> int:
    return table.read_text().count("\n") - 1


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"images", "detector.onnx"}


@pytest.mark.usefixtures("images")
def test_a_new_table_has_the_mode_of_any_new_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "new").touch()
    assert run("adscore", "images", "--out", "r.csv").returncode == 0
    assert mode(tmp_path / "r.csv") == mode(tmp_path / "new")


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("bits", [0o600, 0o664, 0o444])
def test_a_replaced_table_keeps_its_mode(run: Run, tmp_path: Path, bits: int) -> None:
    (tmp_path / "r.csv").write_text("old")
    (tmp_path / "r.csv").chmod(bits)
    before = (tmp_path / "r.csv").stat()
    assert run("adscore", "images", "--out", "r.csv").returncode == 0
    assert (mode(tmp_path / "r.csv"), rows(tmp_path / "r.csv")) == (bits, 2)
    assert (tmp_path / "r.csv").stat().st_mtime_ns > before.st_mtime_ns


@pytest.mark.usefixtures("images")
def test_a_replaced_table_keeps_its_owner_and_group(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("old")
    try:
        os.chown(tmp_path / "r.csv", 12345, 23456)
    except OSError:
        pytest.skip("this user may give no file away")
    assert run("adscore", "images", "--out", "r.csv").returncode == 0
    status = (tmp_path / "r.csv").stat()
    assert (status.st_uid, status.st_gid, rows(tmp_path / "r.csv")) == (12345, 23456, 2)


@pytest.mark.usefixtures("images")
def test_a_replaced_table_keeps_its_attributes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("old")
    try:
        os.setxattr(tmp_path / "r.csv", "user.line", b"7")
    except (OSError, AttributeError):
        pytest.skip("this disk has no attributes")
    assert run("adscore", "images", "--out", "r.csv").returncode == 0
    assert (os.getxattr(tmp_path / "r.csv", "user.line"), rows(tmp_path / "r.csv")) == (b"7", 2)


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("old", ["old", "a longer one\n" * 100])
def test_all_hard_links_show_the_new_table(run: Run, tmp_path: Path, old: str) -> None:
    (tmp_path / "r.csv").write_text(old)
    (tmp_path / "other.csv").hardlink_to(tmp_path / "r.csv")
    assert run("adscore", "images", "--out", "r.csv").returncode == 0
    assert os.path.samestat((tmp_path / "r.csv").stat(), (tmp_path / "other.csv").stat())
    assert (tmp_path / "other.csv").read_text() == run("adscore", "images").stdout
    assert left(tmp_path) == {"r.csv", "other.csv"}


def in_a_container(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Runs a script with mounts of its own, as root of that space; "$ADSCORE" is the command."""
    return subprocess.run(
        [*apart(*MOUNTS), "sh", "-euc", script],
        cwd=folder, env=os.environ | {"ADSCORE": ADSCORE}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("name", ["r.csv", "with space.csv", "back\\slash\n.csv"])
def test_a_mounted_table_is_written_where_it_is(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "volume.csv").write_text("old")
    (tmp_path / name).touch()
    done = in_a_container(tmp_path, f'mount --bind volume.csv "{name}"; "$ADSCORE" images --out "{name}"')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "volume.csv").read_text() == run("adscore", "images").stdout
    assert left(tmp_path) == {"volume.csv", name}


def test_a_run_into_a_mounted_table_that_was_stopped_can_end(tmp_path: Path, images: Path) -> None:
    stopped = Feeding(tmp_path)
    stopped.give(sorted(images.iterdir()) * 2)
    stopped.wait_for_kept(1)
    stopped.stop(signal.SIGTERM)
    assert left(tmp_path) == {KEPT}
    (tmp_path / "volume.csv").touch()
    (tmp_path / "results.csv").touch()
    done = in_a_container(
        tmp_path,
        "mount --bind volume.csv results.csv; printf 'images/a.png\\nimages/b.png\\n' | "
        '"$ADSCORE" - --out results.csv --resume',
    )
    assert done.returncode == 0
    assert rows(tmp_path / "volume.csv") == 2
    assert left(tmp_path) == {"results.csv", "volume.csv"}


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("name", ["r.csv", "with space\t.csv", "back\\slash.csv", "ä.csv"])
def test_a_mounted_table_that_may_not_be_written_is_refused_first(tmp_path: Path, name: str) -> None:
    for each in ("volume.csv", name):
        (tmp_path / each).write_text("old")
    done = in_a_container(
        tmp_path,
        f'mount --bind volume.csv "{name}"; mount -o remount,bind,ro "{name}"; "$ADSCORE" images --out "{name}"',
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()[1:]
    assert line.startswith("error: ")
    assert line.endswith(".csv: cannot be written (Read-only file system); choose another --out")
    assert ((tmp_path / "volume.csv").read_text(), left(tmp_path)) == ("old", {"volume.csv", name})


@pytest.mark.usefixtures("images")
def test_a_table_in_a_folder_that_takes_no_files_is_refused_first(tmp_path: Path) -> None:
    """As a container has it whose root cannot be written, with one file mounted into it."""
    (tmp_path / "volume.csv").write_text("old")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "r.csv").touch()
    done = in_a_container(
        tmp_path,
        "mount --bind results results; mount --bind volume.csv results/r.csv; mount -o remount,bind,ro results; "
        '"$ADSCORE" images --out results/r.csv',
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [REFUSED_FOLDER.format("results/r.csv", "Read-only file system")]
    assert (tmp_path / "volume.csv").read_text() == "old"


@pytest.mark.usefixtures("images")
def test_so_it_is_for_a_user_who_may_write_the_file_alone(tmp_path: Path) -> None:
    before = without_rights("dac_override")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "r.csv").touch()
    (tmp_path / "results").chmod(0o555)
    done = subprocess.run(
        [*before, ADSCORE, "images", "--out", "results/r.csv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [REFUSED_FOLDER.format("results/r.csv", "Permission denied")]


@pytest.mark.usefixtures("images")
def test_a_table_of_another_owner_is_written_into(tmp_path: Path) -> None:
    before = without_rights("chown", "dac_override", "fowner")
    (tmp_path / "r.csv").write_text("old")
    (tmp_path / "r.csv").chmod(0o666)
    try:
        os.chown(tmp_path / "r.csv", 12345, 23456)
    except OSError:
        pytest.skip("this user may give no file away")
    status = (tmp_path / "r.csv").stat()
    done = subprocess.run(
        [*before, ADSCORE, "images", "--out", "r.csv"], cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, rows(tmp_path / "r.csv")) == (0, 2)
    assert os.path.samestat((tmp_path / "r.csv").stat(), status)
    assert (tmp_path / "r.csv").stat()[4:6] == status[4:6]


def test_a_disk_that_is_full_leaves_a_linked_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "other").hardlink_to(tmp_path / "old")
    (tmp_path / "new").write_text("x" * 5000)
    script = f"from pathlib import Path; from {take_the_place.__module__} import take_the_place; "
    script += "take_the_place(Path('new'), Path('old'))"
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 4; exec "$@"', "-", sys.executable, "-c", script],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("File too large")
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir() if path.is_file()} == {
        "old": 3, "other": 3, "new": 5000, "detector.onnx": (tmp_path / "detector.onnx").stat().st_size,
    }  # fmt: skip
