"""Deciding a folder at once: Benjamini-Hochberg on p-values, by the function and by the command."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from adscore import Detector
from adscore.calibration import benjamini_hochberg
from tests.conftest import Run
from tests.tiny import paint, tiny_detector, tiny_spec, with_threshold


@pytest.mark.parametrize("seed", range(20))
def test_discoveries_are_those_of_scipy(seed: int) -> None:
    random = np.random.default_rng(seed)
    chances = random.choice(np.arange(1, 101) / 100, 40) ** random.integers(1, 4)
    largest = benjamini_hochberg(chances, 0.1)
    expected = false_discovery_control(chances) <= 0.1 * (1 + 1e-12)
    assert (chances <= (-1 if largest is None else largest)).tolist() == expected.tolist()


def test_a_rate_that_binary_does_not_hold_still_counts() -> None:
    assert benjamini_hochberg([0.1, 0.2, 0.3], 0.3) == 0.3
    assert benjamini_hochberg([0.5, 0.9], 0.1) is None
    assert benjamini_hochberg([], 0.1) is None


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_is_decided_by_its_p_values(run: Run, tmp_path: Path, detector_file: Path) -> None:
    # 250 and 240 lie above all 99 held-out scores (p 0.01); 178 above all but two (0.03); the others well inside.
    for grey in (250, 240, 178, 120, 90, 60, 30, 10):
        paint(tmp_path / "in" / f"{grey:03}.png", grey)
    (tmp_path / "in" / "broken.png").write_bytes(b"no image")
    done = run("adscore", "in", "--model", detector_file, "--fdr", "0.1", "--out", "out.csv")
    assert done.returncode == 3
    rows = rows_of(tmp_path / "out.csv")
    assert [row["path"] for row in rows if row["is_anomaly"] == "true"] == ["178.png", "240.png", "250.png"]
    chances = [float(row["p_value"]) for row in rows if row["p_value"]]
    largest = benjamini_hochberg(chances, 0.1)
    assert largest is not None
    # The threshold in the table is the very decision: above it lies what is at or below the largest p-value.
    threshold = Detector(detector_file).threshold_for(largest)
    assert {row["threshold"] for row in rows} == {f"{threshold:.9g}"}
    assert [row["is_anomaly"] == "true" for row in rows if row["p_value"]] == [chance <= largest for chance in chances]
    assert done.stderr.splitlines()[-1].startswith("9 images, 3 anomalies above ")


def test_without_discoveries_nothing_is_flagged(run: Run, tmp_path: Path, detector_file: Path) -> None:
    for grey in (177, 120, 90):
        paint(tmp_path / "in" / f"{grey:03}.png", grey)
    done = run("adscore", "in", "--model", detector_file, "--fdr", "0.01", "--out", "out.csv")
    assert (done.returncode, len(done.stderr.splitlines())) == (0, 2)  # nothing stands out, of which there is no doubt
    assert {row["is_anomaly"] for row in rows_of(tmp_path / "out.csv")} == {"false"}


@pytest.mark.parametrize("out", ["-", "out.csv"])
def test_a_rate_at_which_nothing_could_be_flagged_is_refused(
    run: Run, tmp_path: Path, detector_file: Path, out: str
) -> None:
    paint(tmp_path / "in" / "1.png", 250)
    done = run("adscore", "in", "--model", detector_file, "--fdr", "0.009", "--out", out)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[1:] == [
        "error: a false-discovery rate of 0.009 takes at least 111 held-out images (n >= 1/fdr - 1) and there are 99; "
        "ask for 0.01 or more, or hold out more images"
    ]
    assert not (tmp_path / "out.csv").exists()


def test_too_few_held_out_images_for_few_anomalies_are_said(run: Run, tmp_path: Path, detector_file: Path) -> None:
    # p-values 0.01 and 0.01, which --fdr 0.02 takes among four images; and well inside.
    for grey, copies in ((250, 2), (90, 2)):
        for copy in range(copies):
            paint(tmp_path / "in" / f"{grey:03}-{copy}.png", grey)
    command = ["adscore", "in", "--model", str(detector_file), "--fdr", "0.02"]
    done = run(*command)
    assert (done.stdout.count(",true,"), len(done.stderr.splitlines())) == (2, 2)
    paint(tmp_path / "in" / "090-2.png", 90)
    done = run(*command)
    assert (done.returncode, done.stdout.count(",true,")) == (0, 0)
    # 0.01 <= 0.02 * 3 / 5, and 1 / (124 + 1) <= 0.02 * 2 / 5
    assert done.stderr.splitlines()[1] == (
        "--fdr 0.02 can flag none of 5 images: 2 score above all 99 held-out images, and that takes 3 of them, or "
        "124 held-out images"
    )


def test_rows_are_those_of_a_plain_run_but_for_the_decision(run: Run, tmp_path: Path, detector_file: Path) -> None:
    for grey in (250, 178, 120, 10):
        paint(tmp_path / "in" / f"{grey:03}.png", grey)
    for name, options in (("plain", []), ("fdr", ["--fdr", "0.1"])):
        assert run("adscore", "in", "--model", detector_file, "--out", f"{name}.csv", *options).returncode == 0
    decided = ("threshold", "is_anomaly")
    plain, together = (
        [{key: value for key, value in row.items() if key not in decided} for row in rows_of(tmp_path / f"{name}.csv")]
        for name in ("plain", "fdr")
    )
    assert plain == together


def test_a_detector_without_reference_is_refused(run: Run, tmp_path: Path) -> None:
    from dataclasses import replace

    from adscore.spec import Reference

    spec = with_threshold(tiny_spec(), 0.5)
    spec = replace(spec, calibration=replace(spec.calibration, held_out=False, reference=Reference(0, (), ())))
    (tmp_path / "bare.onnx").write_bytes(tiny_detector(spec))
    paint(tmp_path / "in" / "1.png", 9)
    done = run("adscore", "in", "--model", "bare.onnx", "--fdr", "0.1")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1, "error: there are no held-out scores to keep a false-discovery rate by; export the detector again",
    )  # fmt: skip


@pytest.mark.parametrize("rate", ["0", "1", "-1"])
def test_rates_that_are_none_are_refused(run: Run, detector_file: Path, rate: str) -> None:
    done = run("adscore", ".", "--model", detector_file, "--fdr", rate)
    assert done.returncode == 2
    assert "a false-discovery rate lies between 0 and 1" in done.stderr
