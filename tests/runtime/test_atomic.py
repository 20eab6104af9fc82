"""Files and folders that appear when they are complete: what others see of them meanwhile, and what a stop leaves."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from adscore.atomic import appears_when_complete, folder_appears_when_complete
from adscore.errors import OutputError
from adscore.exchange import exchange
from adscore.refusals import refuse_existing
from adscore.workplace import is_leftover
from tests.spaces import PROCESSES, apart


def below(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in sorted(folder.rglob("*"))]


def test_a_folder_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "old").touch()
    with folder_appears_when_complete(tmp_path / "run", force=True, contents=("old",)) as partial:
        (partial / "new").touch()
        assert (tmp_path / "run" / "old").exists()
    assert below(tmp_path) == ["run", "run/new"]


def test_what_stood_there_stays_if_the_new_cannot_take_its_place(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "old").touch()
    with (
        pytest.raises(OutputError, match="run: cannot be written"),
        folder_appears_when_complete(tmp_path / "run", force=True, contents=("old",)) as partial,
    ):
        partial.rmdir()
    assert below(tmp_path) == ["run", "run/old"]


def test_two_folders_change_names_in_one_step(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / f"from {name}").mkdir(parents=True)
    if not exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this system or disk cannot exchange two names")
    assert below(tmp_path) == ["a", "a/from b", "b", "b/from a"]
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "a", tmp_path / "gone")


@pytest.mark.parametrize("name", ["x" * 250 + ".csv", ".hidden", "partial", "line\nbreak", "[a-z]*"])
def test_any_name_that_the_system_takes(tmp_path: Path, name: str) -> None:
    for content in ("one", "two"):
        with appears_when_complete(tmp_path / name) as partial:
            partial.write_text(content)
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, content)]


def test_force_keeps_what_the_command_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "0001.png").touch()
    refuse_existing(tmp_path, force=True, contents=("labels.csv", "[0-9]*.png"))
    (tmp_path / "holiday.png").touch()
    with pytest.raises(OutputError, match=r"holds holiday.png, which this command did not write, so it is not"):
        refuse_existing(tmp_path, force=True, contents=("labels.csv", "[0-9]*.png"))


def test_files_made_at_once_hold_each_its_own(tmp_path: Path) -> None:
    """As of two processes with one id, in two containers: a fault where names are made unique by it."""
    with ExitStack() as first, ExitStack() as second:
        a = first.enter_context(appears_when_complete(tmp_path / "a"))
        b = second.enter_context(appears_when_complete(tmp_path / "b"))
        a.write_text("a")
        b.write_text("b")
        first.close()
        assert (tmp_path / "a").read_text() == "a"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "a", "b": "b"}


def test_of_two_that_make_one_file_both_end_whole(tmp_path: Path) -> None:
    with ExitStack() as first, ExitStack() as second:
        early = first.enter_context(appears_when_complete(tmp_path / "a"))
        late = second.enter_context(appears_when_complete(tmp_path / "a"))
        early.write_text("early, and longer")
        late.write_text("late")
        first.close()
        assert (tmp_path / "a").read_text() == "early, and longer"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "late"}


def test_of_two_that_make_one_folder_the_second_is_refused(tmp_path: Path) -> None:
    with folder_appears_when_complete(tmp_path / "run", force=False, contents=()) as partial:
        with (
            pytest.raises(OutputError, match=r"run: another command makes it; wait until it ends, or choose another"),
            folder_appears_when_complete(tmp_path / "run", force=False, contents=()),
        ):
            pytest.fail("both make it")
        (partial / "first").touch()
    assert below(tmp_path) == ["run", "run/first"]


def test_a_folder_that_came_meanwhile_stays_and_so_does_the_new_one(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError) as raised,
        folder_appears_when_complete(tmp_path / "run", force=False, contents=()) as partial,
    ):
        (partial / "new").touch()
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "foreign").touch()
    text, _, place = str(raised.value).rpartition("; what was made lies in ")
    assert text == f"{tmp_path / 'run'}: exists already; choose another --out, or replace it with --force"
    assert below(tmp_path) == ["run", "run/foreign", *(Path(place).name + end for end in ("", "/new"))]


def test_errors_of_other_files_are_left_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), appears_when_complete(tmp_path / "a"):
        (tmp_path / "gone").read_bytes()
    with pytest.raises(OutputError, match="a: cannot be written"), appears_when_complete(tmp_path / "a") as partial:
        (partial / "below").touch()
    assert below(tmp_path) == []


KILLED = """
import sys
from pathlib import Path
from adscore.atomic import appears_when_complete
with appears_when_complete(Path(sys.argv[1])) as partial:
    partial.write_text("half")
    print("made", flush=True)
    sys.stdin.read()
"""


FIRST_OF_A_CONTAINER = """
import os, sys
from pathlib import Path
from adscore.atomic import appears_when_complete
with appears_when_complete(Path(sys.argv[1])) as partial:
    with partial.open("w") as file:
        print(os.getpid(), flush=True)
        sys.stdin.read()
        file.write(Path(sys.argv[1]).name)
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """Leaves what a process that is killed leaves while it makes `a`, and returns the place of that."""
    command = [sys.executable, "-c", KILLED, str(tmp_path / "a")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "made\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    return left


def test_what_a_killed_one_left_is_named_and_goes_when_the_same_is_made(tmp_path: Path, killed: Path) -> None:
    assert is_leftover(killed)
    assert killed.name.startswith(".a-")
    with appears_when_complete(tmp_path / "a-b") as partial:
        partial.touch()
    assert killed.exists()
    with appears_when_complete(tmp_path / "a") as partial:
        partial.touch()
        assert not killed.exists()
    assert below(tmp_path) == ["a", "a-b"]


def test_what_a_killed_one_left_refuses_no_folder(tmp_path: Path, killed: Path) -> None:
    with folder_appears_when_complete(tmp_path, force=True, contents=("b",)):
        assert killed.exists()
    assert below(tmp_path) == []


def test_two_with_one_process_id_make_what_each_was_given(tmp_path: Path) -> None:
    before = [*apart(*PROCESSES), sys.executable, "-c", FIRST_OF_A_CONTAINER]
    with ExitStack() as stack:
        made = [
            stack.enter_context(
                subprocess.Popen(
                    [*before, str(tmp_path / name)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for name in ("a", "b")
        ]
        for process in made:
            assert process.stdout is not None
            assert process.stdout.readline() == "1\n"
        for process in made:
            process.communicate("")
            assert process.returncode == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "a", "b": "b"}


def test_nobody_removes_what_a_living_one_makes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "a")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "made\n"
        with appears_when_complete(tmp_path / "a") as partial:
            partial.write_text("whole")
        assert (tmp_path / "a").read_text() == "whole"
        process.communicate("")
    assert process.returncode == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "half"}


def test_a_folder_keeps_the_mode_and_owner_of_the_one_it_replaces(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o750)
    with suppress(OSError):  # this user may give no folder away
        os.chown(tmp_path / "run", 12345, 23456)
    before = (tmp_path / "run").stat()
    with folder_appears_when_complete(tmp_path / "run", force=True, contents=()):
        pass
    after = (tmp_path / "run").stat()
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_two_that_write_into_one_linked_file_do_not_mix(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    contents = [sign * (1 << 23) for sign in ("x", "yy")]

    def write(content: str) -> None:
        with appears_when_complete(tmp_path / "a") as partial:
            partial.write_text(content)

    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(write, contents))
        assert (tmp_path / "b").read_text() in contents
