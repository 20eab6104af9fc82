"""The checks of `make test-faults`, quickly and without data: that they run, and that each can tell."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.fault_inputs import mutated
from benchmarks.fault_runs import run_command
from benchmarks.faults import report

from tests.conftest import ROOT

pytestmark = pytest.mark.slow  # trains a network, to fill a disk with it


def test_every_promise_holds_or_was_not_tried(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.faults", "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    checks = json.loads((tmp_path / "reliability.json").read_text())["checks"]
    assert list(checks) == [
        "pngsuite",
        "damaged-images",
        "damaged-detectors",
        "full-disk",
        "other-user",
        "killed-runs",
        "stopped-watches",
    ]
    assert {name: finding["figures"] for name, finding in checks.items() if finding["held"] is False} == {}
    assert checks["pngsuite"]["figures"] == {"why": "PngSuite is not there"}
    assert checks["damaged-images"]["figures"]["rows"] == 150
    assert checks["damaged-detectors"]["figures"]["files"] == 6
    assert checks["killed-runs"]["figures"]["kills"] == 6
    assert checks["stopped-watches"]["figures"]["stops"] == 3
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "RELIABILITY.md").read_text().count("\n| ") == 9


def test_a_broken_promise_shows() -> None:
    from benchmarks.fault_setting import Finding

    assert "| x | p | **no** | crashes 1; why y |" in report({"x": Finding("p", False, {"crashes": 1, "why": "y"})})


def test_crashes_hangs_and_refusals_are_told_apart(tmp_path: Path) -> None:
    killed = run_command(["python", "-c", "import os; os.abort()"], tmp_path)
    assert (killed.crashed, killed.hung, killed.one_error_line) == (True, False, False)
    raised = run_command(["python", "-c", "1 / 0"], tmp_path)
    assert (raised.crashed, raised.hung, raised.one_error_line) == (True, False, False)
    endless = run_command(["python", "-c", "while True: pass"], tmp_path, most_seconds=0.1)
    assert (endless.crashed, endless.hung, endless.one_error_line) == (False, True, False)
    refused = run_command(["adscore", "gone", "--model", "gone.onnx"], tmp_path)
    assert (refused.crashed, refused.hung, refused.one_error_line) == (False, False, True)
    large = run_command(["python", "-c", "x = b'x' * 2**28"], tmp_path)
    assert large.megabytes > 256


def test_damage_is_the_same_each_time_and_differs() -> None:
    first, again = (list(mutated([bytes(range(256))] * 2, 50, random.Random(1))) for _ in range(2))  # noqa: S311 - repeatable
    assert first == again
    assert len(set(first)) > 40
