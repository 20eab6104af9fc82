import json
import re
from pathlib import Path

import pytest
from PIL import Image

from adscore import Detector
from adscore.errors import InputError
from adtrain.evaluate import Comparison, Estimate, Evaluation, compare, evaluate, score_files
from adtrain.evaluation_folder import write_evaluation
from adtrain.labelled import labelled_files
from adtrain.report import evaluation_table
from tests.conftest import Run
from tests.tiny import paint, tiny_detector, tiny_spec, with_threshold

DETECTOR = Detector(tiny_detector())  # flags what is brighter than 179


def mvtec(folder: Path) -> Path:
    for grey in (10, 20, 200):
        paint(folder / "test" / "good" / f"{grey}.png", grey)
    for grey in (15, 210):
        paint(folder / "test" / "scratch" / f"{grey}.png", grey)
    for grey in (220, 230):
        paint(folder / "test" / "dent" / f"{grey}.png", grey)
    return folder


def paint_mask(path: Path, *, white_rows: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = Image.new("L", (4, 4))
    mask.paste(255, (0, 0, 4, white_rows))
    mask.save(path)


def evaluation_of(folder: Path) -> Evaluation:
    return evaluate(DETECTOR, score_files(DETECTOR, labelled_files(str(folder))), resamples=50)


@pytest.mark.parametrize("below", ["", "test"])
def test_mvtec_layout(tmp_path: Path, below: str) -> None:
    evaluation = evaluation_of(mvtec(tmp_path) / below)
    assert (evaluation.images, evaluation.anomalies, evaluation.unreadable) == (7, 4, 0)
    assert evaluation.precision is not None
    confusion = (
        evaluation.true_positives, evaluation.false_positives, evaluation.false_negatives, evaluation.true_negatives,
    )  # fmt: skip
    assert confusion == (3, 1, 1, 2)
    assert (evaluation.precision.value, evaluation.recall.value, evaluation.f1.value) == (0.75, 0.75, 0.75)
    # Of the 12 pairs of a good and a bad image, 15 is above 10 only; the rest of the bad are above all good.
    assert evaluation.auroc.value == pytest.approx(10 / 12)
    assert [(kind.name, kind.images, kind.flagged) for kind in evaluation.kinds] == [
        ("good", 3, 1), ("dent", 2, 2), ("scratch", 2, 1),
    ]  # fmt: skip
    assert [kind.auroc for kind in evaluation.kinds] == [None, 1.0, pytest.approx(4 / 6)]
    assert evaluation.pixel_auroc is None


def test_two_detectors_are_compared_each_at_its_own_threshold(tmp_path: Path) -> None:
    other = Detector(tiny_detector(with_threshold(tiny_spec(), (205 / 255) ** 2)))  # no longer flags 200
    files = labelled_files(str(mvtec(tmp_path)))
    steps: list[None] = []
    comparison = compare(DETECTOR, other, files, lambda: steps.append(None))
    auroc, precision = evaluation_of(tmp_path).auroc.value, evaluation_of(tmp_path).average_precision.value
    assert comparison == Comparison(7, 1, (auroc, auroc), (precision, precision))
    assert len(steps) == 2 * len(files)


def test_intervals_hold_the_figure_and_are_the_same_again(tmp_path: Path) -> None:
    first, again = evaluation_of(mvtec(tmp_path)), evaluation_of(tmp_path)
    assert first == again
    assert first.precision is not None
    for estimate in (first.auroc, first.average_precision, first.precision, first.recall, first.f1):
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert first.auroc.low < first.auroc.high


def test_masks_give_a_pixel_auroc(tmp_path: Path) -> None:
    mvtec(tmp_path)
    # The map of a picture of one grey is flat: 210 lies above all normal pixels, and half of it is marked.
    paint_mask(tmp_path / "ground_truth" / "scratch" / "210_mask.png", white_rows=2)
    evaluation = evaluation_of(tmp_path)
    # 8 marked pixels of value 210, against 8 equal ones and 48 smaller ones.
    assert evaluation.pixel_auroc == pytest.approx((48 + 4) / 56)


def test_black_masks_give_none(tmp_path: Path) -> None:
    mvtec(tmp_path)
    paint_mask(tmp_path / "ground_truth" / "scratch" / "210_mask.png", white_rows=0)
    assert evaluation_of(tmp_path).pixel_auroc is None


def test_a_mask_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    mvtec(tmp_path)
    mask = tmp_path / "ground_truth" / "scratch" / "210_mask.png"
    mask.parent.mkdir(parents=True)
    mask.write_bytes(b"no image")
    with pytest.raises(InputError, match="210_mask.png: the mask cannot be read"):
        evaluation_of(tmp_path)


def test_labels_file_and_an_unreadable_image(tmp_path: Path) -> None:
    for name, grey in (("a.png", 10), ("b.png", 200), ("c.png", 100)):
        paint(tmp_path / name, grey)
    (tmp_path / "d.png").touch()
    # As spreadsheets write it: a byte-order mark, and their own spelling of true and false.
    (tmp_path / "labels.csv").write_text(
        "path,label,is_anomaly\na.png,1,FALSE\nb.png,3,TRUE\nc.png,1,False\nd.png,3,true\n", encoding="utf-8-sig"
    )
    evaluation = evaluation_of(tmp_path)
    assert (evaluation.images, evaluation.unreadable, evaluation.anomalies, evaluation.true_positives) == (3, 1, 1, 1)
    assert (evaluation.auroc.value, evaluation.average_precision.value) == (1, 1)
    assert [kind.name for kind in evaluation.kinds] == ["1", "3"]


def test_tables_json_and_pictures(run: Run, tmp_path: Path, detector_file: Path) -> None:
    mvtec(tmp_path)
    done = run("adtrain", "evaluate", detector_file, ".", "--out", "ev")
    assert (done.returncode, done.stderr) == (0, "figures and pictures: ev\n")
    names = [line.strip().split("  ")[0] for line in done.stdout.splitlines() if line.strip()]
    assert names[:9] == [
        "images", "AUROC", "average precision", "threshold", "anomalies flagged", "normal flagged", "precision",
        "recall", "F1",
    ]  # fmt: skip
    assert "anomalies flagged   3 of 4" in done.stdout
    assert "scratch" in done.stdout
    folder = tmp_path / "ev"
    assert sorted(path.name for path in folder.iterdir()) == [
        "evaluation.json", "precision_recall.png", "roc.png", "scores.png",
    ]  # fmt: skip
    figures = json.loads((folder / "evaluation.json").read_text())
    assert (figures["true_positives"], figures["kinds"][0]["name"]) == (3, "good")
    with Image.open(folder / "roc.png") as picture:
        assert picture.size == (600, 600)
    assert run("adtrain", "evaluate", detector_file, ".", "--out", "ev").returncode == 0


def test_names_of_kinds_are_shown_as_they_are(run: Run, tmp_path: Path, detector_file: Path) -> None:
    mvtec(tmp_path)
    kinds = ("[bold]", "[/x]", ":smile:", "two\nlines", "a\u2028b")
    rows = [f'test/dent/220.png,"{kind}",true' for kind in kinds]
    text = "\n".join(["path,label,is_anomaly", "test/good/10.png,good,false", *rows])
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    done = run("adtrain", "evaluate", detector_file, ".", "--out", "ev")
    assert (done.returncode, done.stderr) == (0, "figures and pictures: ev\n")
    shown = [line.split("  ")[1].strip() for line in done.stdout.splitlines() if line.endswith("1.0000  ")]
    assert shown[-5:] == [":smile:", "[/x]", "[bold]", "a\\u2028b", "two\\nlines"]


def test_a_threshold_above_all_scores_has_no_precision(tmp_path: Path) -> None:
    files = labelled_files(str(mvtec(tmp_path)))
    detector = Detector(tiny_detector(with_threshold(tiny_spec(), 2.0)))
    evaluation = evaluate(detector, score_files(detector, files), resamples=5)
    assert evaluation.precision is None
    assert (evaluation.recall, evaluation.f1) == (Estimate(0, 0, 0), Estimate(0, 0, 0))
    write_evaluation(tmp_path / "ev", evaluation, score_files(detector, files))
    assert json.loads((tmp_path / "ev" / "evaluation.json").read_text())["precision"] is None
    cells = [[str(cell) for cell in column.cells] for column in evaluation_table(evaluation).columns]
    assert dict(zip(*cells, strict=True))["precision"] == "none: no image is flagged"


def test_draws_in_which_nothing_is_flagged_do_not_lower_the_precision(tmp_path: Path) -> None:
    detector = Detector(tiny_detector(with_threshold(tiny_spec(), (225 / 255) ** 2)))  # flags 230 alone
    evaluation = evaluate(detector, score_files(detector, labelled_files(str(mvtec(tmp_path)))), resamples=50)
    assert evaluation.precision == Estimate(1, 1, 1)


def test_unreadable_images_are_named_and_masks_counted(run: Run, tmp_path: Path, detector_file: Path) -> None:
    mvtec(tmp_path)
    paint_mask(tmp_path / "ground_truth" / "scratch" / "210_mask.png", white_rows=2)
    for index in range(12):
        (tmp_path / "test" / "dent" / f"a{index:02}.png").touch()
    done = run("adtrain", "evaluate", detector_file, ".", "--out", "ev")
    assert (done.returncode, done.stderr.splitlines()) == (
        0,
        [
            *(f"left out, unreadable: test/dent/a{index:02}.png: the file is empty" for index in range(10)),
            "left out, unreadable: 2 more",
            "figures and pictures: ev",
        ],
    )
    assert "pixel AUROC         0.9286, over the normal images and the 1 of 4 anomalies with a mask" in done.stdout


def test_what_is_left_out_and_what_marks_nothing_is_said(run: Run, tmp_path: Path, detector_file: Path) -> None:
    mvtec(tmp_path)
    paint(tmp_path / "train" / "good" / "0.png", 9)
    for name, white_rows in {"scratch/210_mask.PNG": 2, "dent/220_gt.bmp": 0, "dent/1.png": 1}.items():
        paint_mask(tmp_path / "ground_truth" / name, white_rows=white_rows)
    done = run("adtrain", "evaluate", detector_file, ".", "--out", "ev")
    assert (done.returncode, done.stderr.splitlines()) == (
        0,
        [
            ".: leaves out 1 training image in train/good",
            ".: masks of no picture, 1 in all: ground_truth/dent/1.png",
            "masks that mark nothing, 1 in all: ground_truth/dent/220_gt.bmp",
            "figures and pictures: ev",
        ],
    )
    assert "over the normal images and the 2 of 4 anomalies with a mask" in done.stdout
    # A fault in a mask is found before anything is scored.
    paint(tmp_path / "ground_truth" / "dent" / "230.png", 255, size=(4, 5))
    done = run("adtrain", "evaluate", detector_file, ".", "--out", "again")
    assert (done.returncode, done.stdout, (tmp_path / "again").exists()) == (1, "", False)
    assert done.stderr.splitlines()[-1] == (
        "error: ground_truth/dent/230.png: the mask cannot be read (it is 4x5 and its picture 4x4); repair or remove it"
    )


@pytest.mark.parametrize("out", ["test/ev", "test/scratch/ev"])
def test_pictures_do_not_go_among_the_test_images(run: Run, tmp_path: Path, detector_file: Path, out: str) -> None:
    mvtec(tmp_path)
    done = run("adtrain", "evaluate", detector_file, ".", "--out", out)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {out}: lies among the test images, and its pictures would count as a defect the next time; choose "
        "another --out\n"
    )
    assert not (tmp_path / out).exists()
    # With a labels.csv the folders say nothing.
    (tmp_path / "test" / "labels.csv").write_text(
        "path,label,is_anomaly\ngood/10.png,good,false\ndent/220.png,dent,true\n"
    )
    assert run("adtrain", "evaluate", detector_file, ".", "--out", out).returncode == 0


def test_a_folder_of_something_else_is_not_replaced(run: Run, tmp_path: Path, detector_file: Path) -> None:
    mvtec(tmp_path)
    done = run("adtrain", "evaluate", detector_file, ".", "--out", "test")
    assert done.returncode == 1
    # There is no --force to speak of here.
    assert re.fullmatch(
        r"error: test: holds \w+, which this command did not write, so it is not replaced; choose another --out\n",
        done.stderr,
    )
    assert (tmp_path / "test" / "good" / "10.png").is_file()
