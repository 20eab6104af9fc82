from pathlib import Path

import pytest

from adscore import Detector
from adscore.errors import InputError
from adtrain.evaluate import evaluate, labelled_files
from tests.conftest import Run
from tests.tiny import paint, tiny_detector

DETECTOR = Detector(tiny_detector())  # flags what is brighter than 179


def mvtec(folder: Path) -> Path:
    for grey in (10, 20, 200):
        paint(folder / "test" / "good" / f"{grey}.png", grey)
    for grey in (15, 210, 220, 230):
        paint(folder / "test" / "scratch" / f"{grey}.png", grey)
    return folder


@pytest.mark.parametrize("below", ["", "test"])
def test_mvtec_layout(tmp_path: Path, below: str) -> None:
    evaluation = evaluate(DETECTOR, labelled_files(str(mvtec(tmp_path) / below)))
    assert (evaluation.images, evaluation.anomalies, evaluation.unreadable) == (7, 4, 0)
    assert (evaluation.flagged, evaluation.found) == (4, 3)
    assert (evaluation.precision, evaluation.recall) == (0.75, 0.75)
    # Of the 12 pairs of a good and a bad image, 15 is above 10 only; the rest of the bad are above all good.
    assert evaluation.auroc == pytest.approx(10 / 12)


def test_labels_file_and_an_unreadable_image(tmp_path: Path) -> None:
    for name, grey in (("a.png", 10), ("b.png", 200), ("c.png", 100)):
        paint(tmp_path / name, grey)
    (tmp_path / "d.png").touch()
    # As spreadsheets write it: a byte-order mark, and their own spelling of true and false.
    (tmp_path / "labels.csv").write_text(
        "path,label,is_anomaly\na.png,1,FALSE\nb.png,3,TRUE\nc.png,1,False\nd.png,3,true\n", encoding="utf-8-sig"
    )
    evaluation = evaluate(DETECTOR, labelled_files(str(tmp_path)))
    assert (evaluation.images, evaluation.unreadable, evaluation.anomalies, evaluation.found) == (3, 1, 1, 1)
    assert (evaluation.auroc, evaluation.average_precision) == (1, 1)


def test_the_table_on_stdout(run: Run, tmp_path: Path, detector_file: Path) -> None:
    mvtec(tmp_path)
    done = run("adtrain", "evaluate", detector_file, ".")
    assert (done.returncode, done.stderr) == (0, "")
    names = [line.strip().split("  ")[0] for line in done.stdout.splitlines() if line.strip()]
    assert names == ["images", "AUROC", "average precision", "flagged", "precision", "recall"]
    assert "flagged             4 above 0.495, 3 of them anomalies" in done.stdout


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ([], "has no labels.csv and no folder good"),
        (["test/good/1.png"], "normal and anomalous images are both needed"),
        (["test/good/1.png", "test/2.png"], "2.png: lies in no folder that tells its kind; move it to good or a"),
        (["labels.csv"], "needs the columns path, label, is_anomaly, is_anomaly true or false"),
    ],
)
def test_folders_without_both_kinds_are_refused(tmp_path: Path, files: list[str], fault: str) -> None:
    for name in files:
        if name.endswith(".csv"):
            (tmp_path / name).write_text("file,class\na.png,1\n")
        else:
            paint(tmp_path / name, 9)
    with pytest.raises(InputError, match=fault):
        labelled_files(str(tmp_path))
