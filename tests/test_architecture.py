"""The house as its rules want it: small files that say what they hold, arrows one way, nothing of a machine."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

FOLDERS = ("runtime", "export", "train", "tests", "benchmarks", "artifacts")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
PACKAGES = [path for path in SOURCES if path.relative_to(ROOT).parts[0] in ("runtime", "export", "train")]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked() -> list[Path]:
    """Returns the files of the project; without git (a source archive), those of its folders."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_there_are_sources() -> None:
    assert len(PACKAGES) > 30


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_no_source_file_is_above_250_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 250


@pytest.mark.parametrize("path", PACKAGES, ids=named)
def test_every_module_says_what_it_holds_in_its_first_line(path: Path) -> None:
    assert (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").strip()


def test_nothing_names_a_machines_path_or_a_registrys_host() -> None:
    # Put together here, so that this file does not name them itself.
    forbidden = ["/" + "root/", "/" + "home/", "/" + "work/", "py" + "pi.org", "python" + "hosted", "npm" + "js.org"]
    pattern = re.compile("|".join(map(re.escape, forbidden)))
    for path in tracked():
        if path.suffix not in (".png", ".npz"):
            found = pattern.findall(path.read_bytes().decode("utf-8", errors="replace"))
            assert found == [], path


def test_only_what_belongs_there_is_kept_in_artifacts() -> None:
    kept = {path.relative_to(ROOT).parts[1] for path in tracked() if path.relative_to(ROOT).parts[0] == "artifacts"}
    assert kept == {"demo"}
