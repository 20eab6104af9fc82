"""The README against the product: commands, options, codes, keys and output, and its programs as they stand."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass, replace
from pathlib import Path

import pytest

from adscore import DetectorSpec
from adscore.images import MAX_BYTES, MAX_PIXELS
from adscore.model_file import INPUT, OUTPUTS
from adscore.sieve import FOREIGN_SUFFIXES, SUFFIXES, SYSTEM_NAMES
from adscore.spec import METADATA_KEY, Pictures
from adscore.table import COLUMNS
from tests.conftest import ROOT
from tests.golden import TOLERANCE, assert_golden, golden
from tests.tiny import tiny_spec

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = ("adscore", "adtrain dataset", "adtrain fit", "adtrain export", "adtrain evaluate")


def sections() -> dict[str, str]:
    """Returns the README's second-level sections by title."""
    parts = re.split(r"^## (.+)$", README, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def command_lines() -> Iterator[str]:
    """Yields every call of our commands in the README, in blocks and in running text."""
    for block in blocks(""):
        for line in block.splitlines():
            call = line.removeprefix("$ ").partition("#")[0].strip()
            if call.startswith(("adscore ", "adtrain ")):
                yield call
    yield from re.findall(r"`((?:adscore|adtrain) [^`]+)`", README)


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """Returns the options of each command, as its --help names them."""
    found = {}
    for command in COMMANDS:
        script, *rest = command.split()
        call = [str(Path(sys.executable).with_name(script)), *rest, "--help"]
        text = subprocess.run(call, capture_output=True, text=True, check=True).stdout
        found[command] = set(re.findall(r"^  (--[a-z-]+)", text, re.MULTILINE))
    return found


@pytest.mark.parametrize("line", sorted(set(command_lines())))
def test_every_command_in_the_readme_exists_with_its_options(line: str, options: dict[str, set[str]]) -> None:
    words = line.split()
    command = words[0] if words[0] == "adscore" else " ".join(words[:2])
    assert command in options
    assert set(re.findall(r"--[a-z-]+", line)) <= options[command]


@pytest.mark.parametrize(
    ("command", "title"),
    [
        ("adscore", "Score"), ("adtrain fit", "Train"), ("adtrain export", "Calibration"), ("adtrain dataset", "Train"),
    ],
)  # fmt: skip
def test_every_option_is_in_the_readme(command: str, title: str, options: dict[str, set[str]]) -> None:
    section = sections()[title] + (sections()["Train"] if command == "adtrain export" else "")
    assert options[command] - {"--help"} <= set(re.findall(r"--[a-z-]+", section))


def test_the_three_commands_that_must_always_work_stand_first() -> None:
    first = [line.partition("#")[0].split() for line in blocks("")[0].splitlines()]
    assert first == [
        ["adtrain", "fit", "./good"],
        ["adtrain", "export"],
        ["adscore", "./images", "--out", "results.csv"],
    ]


def test_columns_codes_and_limits() -> None:
    score = sections()["Score"]
    assert re.findall(r"^\| `([a-z_]+)` \|", score, re.MULTILINE) == list(COLUMNS)
    assert re.findall(r"^\| (\d[\d, ]*) \|", score, re.MULTILINE) == ["0", "1", "2", "3", "4", "129, 130, 143", "141"]
    assert f"{MAX_PIXELS:,} pixels" in score
    assert f"{MAX_BYTES:,} bytes" in score


def test_what_is_taken_from_a_folder() -> None:
    part = sections()["Score"].partition("### What is taken from a folder")[2].partition("###")[0]
    taken, hidden, foreign = (re.findall(r"`([^`]+)`", item) for item in part.split("\n- ")[1:4])
    assert taken == list(SUFFIXES)
    assert sorted(name.lower() for name in hidden if name != "--hidden") == sorted(SYSTEM_NAMES)
    assert foreign == list(FOREIGN_SUFFIXES)


def keys(value: object, prefix: str = "") -> Iterator[str]:
    """Yields the dotted keys of a spec down to what is no object of ours."""
    assert isinstance(value, dict)
    for name, item in value.items():
        if isinstance(item, dict) and name not in ("settings", "versions"):
            yield from keys(item, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_every_key_of_the_file_is_described() -> None:
    assert is_dataclass(DetectorSpec)
    table = sections()["The file"]
    described = re.findall(r"`([a-z_.]+)`", "\n".join(re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)))
    spec = tiny_spec()
    pictures = Pictures((4, 4), (4, 4), (1.0, 1.0), ("L",), (8,), None)
    spec = replace(spec, training=replace(spec.training, pictures=pictures))
    assert sorted(set(described) - {"image", *OUTPUTS}) == sorted(keys(asdict(spec)))
    for name in (METADATA_KEY, INPUT, *OUTPUTS):
        assert f"`{name}`" in table


def test_the_examples_output_is_what_the_command_prints(tmp_path: Path) -> None:
    adscore = str(Path(sys.executable).with_name("adscore"))
    table = tmp_path / "results.csv"
    done = subprocess.run(
        [adscore, "artifacts/demo/images", "--model", "artifacts/demo/detector.onnx", "--out", str(table)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    example = next(block for block in blocks("") if block.startswith("$ adscore artifacts/demo/images"))
    printed = [line for line in example.splitlines() if not line.startswith("$")]
    rate = re.compile(r" \([\d,]+ a second\)$")  # the machine's, not the tool's
    said = done.stderr.replace(str(table), "results.csv").splitlines()
    assert [rate.sub("", line) for line in printed[:2]] == [rate.sub("", line) for line in said]
    assert printed[2:] == (ROOT / "artifacts" / "demo" / "scores.csv").read_text().splitlines()[:4]
    assert_golden(table.read_text())


@pytest.mark.parametrize("program", blocks("python"))
def test_every_program_runs(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    score, label = done.stdout.split()[:2]
    normal = next(row for row in golden() if row["path"] == "normal-1.png")
    assert float(score) == pytest.approx(float(normal["score"]), rel=TOLERANCE)
    assert label == "False"


def test_make_targets_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test", "check", "bench", "help"} <= targets
    assert set(re.findall(r"\bmake ([a-z-]+)\b", "\n".join(blocks("")))) <= targets


def test_the_tree_names_every_source_file_and_no_other() -> None:
    tree = sections()["The tree"]
    named = re.findall(r"\b(\w+\.py)\b", tree)
    real = [
        path.name
        for folder in ("runtime", "export", "train", "benchmarks", "artifacts")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert set(named) == set(real) - {"__init__.py"}


def test_nothing_is_left_to_fill_in_and_every_link_leads_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "artifacts/demo/README.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"@@|TODO|FIXME|XXX", text)
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / name).parent.joinpath(target).exists(), target
