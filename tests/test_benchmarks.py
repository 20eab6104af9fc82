"""The parts of the benchmarks that can be wrong without anyone seeing it: tables, and the promise of calibration."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks import scoring_report
from benchmarks.processor import processor
from benchmarks.quality_report import Result, report

pytestmark = pytest.mark.slow  # benchmarks.calibration loads adexport, which loads TensorFlow


def result(
    name: str, group: str, seed: int, auroc: float, *, recipe: str = "auto", found: int = 0, commit: str | None = "a1"
) -> Result:
    return Result(name, group, recipe, seed, 100, auroc, auroc / 2, 67, found, 1.0, commit, commit)


def test_tables_show_mean_and_deviation_over_seeds() -> None:
    lines = report(
        [
            result("demo 1 %", "demo", 1, 0.9, found=60),
            result("demo 1 %", "demo", 2, 0.8, found=62),
            result("demo 1 %", "demo", 1, 0.7, recipe="tutorial", found=30),
            result("screws", "screws", 1, 0.97),
        ]
    ).splitlines()
    assert "| demo 1 % | 2 | 0.8500 ± 0.0707 | 0.4250 ± 0.0354 | 61 ± 1.4142 | 0.7000 | 0.3500 | 30 | a1 |" in lines
    assert "| screws | 1 | 0.9700 |  | a1 |" in lines
    assert "Not measured: the sets were not there." in lines
    assert not any("different code" in line for line in lines)


def test_rows_of_different_code_are_said_to_be_so() -> None:
    lines = report(
        [
            result("screws", "screws", 1, 0.97, commit="b2"),
            result("screws", "screws", 2, 0.95, commit=None),
            result("elpv", "elpv", 1, 0.6, commit=None),
        ]
    ).splitlines()
    mixed = next(line for line in lines if "different code" in line)
    assert "Trainings by commit: b2 1, not recorded 2." in mixed
    assert "| screws | 2 | 0.9600 ± 0.0141 |  | b2, not recorded |" in lines
    assert "| elpv | 1 | 0.6000 |  | not recorded |" in lines


def test_means_over_a_group_count_complete_seeds_only() -> None:
    lines = report(
        [result(f"MNIST {label}", "MNIST", 1, 0.9 + label / 100) for label in (0, 1)]
        + [result("MNIST 0", "MNIST", 2, 0.1)]
    ).splitlines()
    assert "| **MNIST, mean** | 1 | 0.9050 |  | a1 |" in lines


def test_realised_false_alarms_lie_where_theory_says() -> None:
    from benchmarks.calibration import CALIBRATION_IMAGES, SPLITS, realised

    scores = np.random.default_rng(5).gamma(2.0, size=CALIBRATION_IMAGES + 500).astype(np.float32)
    alarms, chances = realised(scores)
    assert chances.shape == (SPLITS, 500)
    for rate, counts in alarms.items():
        assert counts.mean() / 500 == pytest.approx(rate, rel=0.5)
    assert chances.mean() == pytest.approx(0.5, abs=0.05)


def turn(part: str, name: str, number: int, wall: float, *, loop: float = 1.0, cpu: float = 1.0) -> scoring_report.Turn:
    return scoring_report.Turn(part, name, number, wall, cpu, loop, loop, 71.0)


def test_ratios_are_taken_within_a_round() -> None:
    turns = []
    for number, pace in enumerate((1.0, 10.0)):  # the second round ran on a busy machine
        for part in ("png", "jpeg"):
            turns += [
                turn(part, "plain_loop", number, 4 * pace, loop=3 * pace, cpu=4 * pace),
                turn(part, "adscore", number, 2 * pace, loop=1 * pace, cpu=2 * pace),
                turn(part, "decoding", number, pace, loop=0.4 * pace * scoring_report.CPUS),
                turn(part, "network", number, pace, loop=0.5 * pace * scoring_report.CPUS),
            ]
    turns += [turn("cold", "libraries", 0, 1.0), turn("cold", "adscore", 0, 1.5, cpu=1.2)]
    turns += [turn("memory", f"--workers 1: {count}", 0, 1.0) for count in (1000, 100_000)]
    lines = scoring_report.report(turns, {"rows": "the same", "jpeg scores": "none"}, 10_000, 200).splitlines()
    row = "| **adscore** | 2.00 (2.00 to 2.00) | 3.00 (3.00 to 3.00) | 2.00 (2.00 to 2.00) | 0.90 (0.90 to 0.90) |"
    assert lines.count(row) == 2
    assert "session: 1.50 (1.50 to 1.50) times its wall time, 1.20 (1.20 to 1.20) times its CPU time." in lines
    assert lines[-2:] == ["| --- | --- | --- |", "| `--workers 1` | 71 | 71 |"]


def test_the_heading_of_the_graph_tells_what_the_processor_has(tmp_path: Path) -> None:
    from benchmarks.graph import Row, table

    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(
        "processor\t: 0\nflags\t\t: fpu sse4_1 avx2 avx512_vnni\nvmx flags\t: avx\n\n"
        "processor\t: 1\nflags\t\t: fpu sse4_1 avx2\n"
    )
    assert processor(cpuinfo).endswith(" with sse4_1, avx2")  # what every core has
    cpuinfo.write_text("Features\t: fp asimd asimddp\n")
    assert processor(cpuinfo).endswith(" with asimd, asimddp")
    assert processor(tmp_path / "none").endswith(" with features that the system does not tell")
    lines = table([Row("demo", "plain", 1.0, 0.9, 1.1, 1000, 0.0)], "x86_64 with avx2").splitlines()
    assert lines[0] == "# The exported graph, on x86_64 with avx2"
    assert lines[-1] == "| demo | plain | 1.00 (0.90 to 1.10) | 1,000 | 0.0e+00 |"
