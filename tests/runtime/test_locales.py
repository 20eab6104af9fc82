"""Names in tables where the locale is no UTF-8: the bytes that they have on disk, as in any other locale."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.feeding import ADSCORE, Feeding
from tests.tiny import paint
from tests.waiting import wait_for

pytestmark = pytest.mark.usefixtures("detector_file")

UTF8, LATIN1 = "Größe.png".encode(), "Größe.png".encode("iso-8859-1")
ROW = b",0.885813177,0.495000005,true,0.01,"
LOCALES = {
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "iso-8859-1": {"LC_ALL": "de_DE.ISO-8859-1", "PYTHONUTF8": "0"},
    "utf-8": {"PYTHONUTF8": "1"},
}


@pytest.fixture(params=LOCALES)
def locale(request: pytest.FixtureRequest) -> dict[str, str]:
    """Returns the environment of a locale, where it is installed."""
    environment = os.environ | LOCALES[request.param]
    command = [sys.executable, "-c", "import codecs, sys; print(codecs.lookup(sys.getfilesystemencoding()).name)"]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    if codecs_name(request.param) != found:
        pytest.skip(f"this system has no locale of {request.param}")
    return environment


def codecs_name(name: str) -> str:
    return {"iso-8859-1": "iso8859-1"}.get(name, name)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    source = paint(tmp_path / "images" / "a.png", 240)
    for name in (UTF8, LATIN1):
        (source.parent / os.fsdecode(name)).write_bytes(source.read_bytes())
    source.unlink()
    return source.parent


def adscore(folder: Path, environment: dict[str, str], *arguments: str) -> bytes:
    done = subprocess.run([ADSCORE, *arguments], cwd=folder, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(*names: bytes) -> list[bytes]:
    return sorted(name + ROW for name in names)


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("out", ["-", "r.csv"])
def test_csv_has_the_names_bytes(tmp_path: Path, locale: dict[str, str], out: str) -> None:
    printed = adscore(tmp_path, locale, "images", "--out", out)
    table = printed if out == "-" else (tmp_path / out).read_bytes()
    assert sorted(table.splitlines()[1:]) == rows(UTF8, LATIN1)


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_list_with_a_mark_names_files_by_their_bytes(tmp_path: Path, locale: dict[str, str], encoding: str) -> None:
    half = "\ud800" if encoding == "utf-16" else "none"  # half a character, as names of Windows may hold
    listed = f"images/{UTF8.decode()}\n{half}.png\n".encode(encoding, "surrogatepass")
    done = subprocess.run([ADSCORE, "-"], cwd=tmp_path, env=locale, input=listed, capture_output=True, check=False)
    assert done.returncode == 3, done.stderr
    gone = half.encode("utf-8", "surrogatepass") + b".png,,0.495000005,,,No such file or directory"
    assert done.stdout.splitlines()[1:] == [b"images/" + UTF8 + ROW, gone]


@pytest.mark.usefixtures("images")
def test_json_lines_have_the_characters_of_utf8(tmp_path: Path, locale: dict[str, str]) -> None:
    adscore(tmp_path, locale, "images", "--out", "r.jsonl")
    lines = (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted(json.loads(line)["path"].encode("utf-8", "surrogateescape") for line in lines) == sorted(
        (UTF8, LATIN1)
    )
    assert sum("Größe" in line for line in lines) == 1


def test_a_run_goes_on_in_another_locale(tmp_path: Path, images: Path, locale: dict[str, str]) -> None:
    stopped = Feeding(tmp_path)
    stopped.give([images / os.fsdecode(UTF8)] * 3)
    stopped.wait_for_kept(1)
    stopped.stop(signal.SIGTERM)
    for path in images.iterdir():  # what was scored is not looked at again
        path.write_bytes(b"no image any more")
    listed = b"images/" + UTF8 + b"\n"
    command = [ADSCORE, "-", "--out", "results.csv", "--resume"]
    done = subprocess.run(command, cwd=tmp_path, env=locale, input=listed, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results.csv").read_bytes().splitlines()[1:] == [b"images/" + UTF8 + ROW]


def test_a_watch_tells_of_names_that_open_and_knows_them_again(
    tmp_path: Path, images: Path, locale: dict[str, str]
) -> None:
    told, table = tmp_path / "told", tmp_path / "r.csv"
    told.mkdir()
    images = images.rename(tmp_path / os.fsdecode("Größe".encode("iso-8859-1")))
    command = [ADSCORE, "--watch", images.name, "--out", "r.csv", "--settle", "0.01", "--on-anomaly", "cp {path} told"]

    def watch_until(count: int) -> None:
        with subprocess.Popen(command, cwd=tmp_path, env=locale) as watch:

            def all_told() -> bool:
                assert watch.poll() is None
                return len(list(told.iterdir())) == count

            wait_for(all_told)
            watch.send_signal(signal.SIGTERM)
            assert watch.wait() == 143

    watch_until(2)
    paint(images / "later.png", 240)
    watch_until(3)
    assert sorted(os.fsencode(path.name) for path in told.iterdir()) == sorted([UTF8, LATIN1, b"later.png"])
    assert sorted(table.read_bytes().splitlines()[1:]) == rows(UTF8, LATIN1, b"later.png")


def test_a_locale_without_a_character_ends_no_command(tmp_path: Path) -> None:
    adtrain = Path(sys.executable).with_name("adtrain")
    done = subprocess.run(
        [adtrain, "dataset", "demo", "--split", "test", "--contamination", "0", "--out", "Größe €"],
        cwd=tmp_path, env=os.environ | {"PYTHONUTF8": "1", "PYTHONIOENCODING": "iso-8859-1:strict"},
        capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith("Größe \\u20ac: ".encode("iso-8859-1"))
