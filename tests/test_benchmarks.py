"""The parts of the benchmarks that can be wrong without anyone seeing it: tables, and the promise of calibration."""

import numpy as np
import pytest
from benchmarks.quality_report import Result, report

pytestmark = pytest.mark.slow  # benchmarks.calibration loads adexport, which loads TensorFlow


def result(name: str, group: str, seed: int, auroc: float, *, recipe: str = "auto", found: int = 0) -> Result:
    return Result(name, group, recipe, seed, 100, auroc, auroc / 2, 67, found, 1.0)


def test_tables_show_mean_and_deviation_over_seeds() -> None:
    lines = report(
        [
            result("demo 1 %", "demo", 1, 0.9, found=60),
            result("demo 1 %", "demo", 2, 0.8, found=62),
            result("demo 1 %", "demo", 1, 0.7, recipe="tutorial", found=30),
            result("screws", "screws", 1, 0.97),
        ]
    ).splitlines()
    assert "| demo 1 % | 2 | 0.8500 ± 0.0707 | 0.4250 ± 0.0354 | 61 ± 1.4142 | 0.7000 | 0.3500 | 30 |" in lines
    assert "| screws | 1 | 0.9700 |  |" in lines
    assert "Not measured: the sets were not there." in lines


def test_means_over_a_group_count_complete_seeds_only() -> None:
    lines = report(
        [result(f"MNIST {label}", "MNIST", 1, 0.9 + label / 100) for label in (0, 1)]
        + [result("MNIST 0", "MNIST", 2, 0.1)]
    ).splitlines()
    assert "| **MNIST, mean** | 1 | 0.9050 |  |" in lines


def test_realised_false_alarms_lie_where_theory_says() -> None:
    from benchmarks.calibration import CALIBRATION_IMAGES, SPLITS, realised

    scores = np.random.default_rng(5).gamma(2.0, size=CALIBRATION_IMAGES + 500).astype(np.float32)
    alarms, chances = realised(scores)
    assert chances.shape == (SPLITS, 500)
    for rate, counts in alarms.items():
        assert counts.mean() / 500 == pytest.approx(rate, rel=0.5)
    assert chances.mean() == pytest.approx(0.5, abs=0.05)
