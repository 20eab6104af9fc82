"""What tells the kind of an image: a labels.csv, or the names of folders."""

from pathlib import Path

import pytest

from adscore.errors import InputError
from adtrain.labelled import labelled_files
from tests.tiny import paint

# What lies where, whose label and kind is what, and what is said of the rest.
FOLDERS = [
    (["train/good", "test/good", "test/broken"], ["good", "broken"], ["leaves out 2 training images in train/good"]),
    (["train/OK", "Test/ok", "Test/NG/camera1", "docs"], ["ok", "NG"],
     ["leaves out 2 other images in docs; 2 training images in train/OK"]),
    (["OK/train", "OK/test", "NG/test"], ["OK", "NG"], ["leaves out 2 training images in OK/train"]),
    (["bottle/train/good", "bottle/test/good", "bottle/test/dent"], ["good", "dent"],
     ["leaves out 2 training images in bottle/train/good"]),
    (["Data/Images/Normal", "Data/Images/Anomaly", "Data/Other"], ["Normal", "Anomaly"],
     ["leaves out 2 other images in Data/Other", "{} Data/Images/Normal{}"]),
    (["good", "bad", "scratch"], ["good", "bad", "scratch"], ["{} good{}"]),
    (["good", "scratch", "train"], ["good", "scratch"], ["leaves out 2 training images in train", "{} good{}"]),
]  # fmt: skip


@pytest.mark.parametrize(("folders", "kinds", "said"), FOLDERS)
def test_the_names_of_folders_tell_labels_and_kinds(
    tmp_path: Path, folders: list[str], kinds: list[str], said: list[str]
) -> None:
    for folder in folders:
        for index in range(2):
            paint(tmp_path / folder / f"{index}.png", 9)
    lines: list[str] = []
    files = labelled_files(str(tmp_path), notify=lines.append)
    assert {file.kind: file.is_anomaly for file in files} == {kind: kind != kinds[0] for kind in kinds}
    assert len(files) == 2 * len(kinds)
    no_tests = (
        "has no folder for tests; adtrain fit takes the same normal images,",
        ", and figures of images that were trained on flatter",
    )
    assert lines == [f"{tmp_path}: {line.format(*no_tests)}" for line in said]


def test_pictures_that_differ_in_suffix_alone_are_said(tmp_path: Path) -> None:
    for name in ("test/good/0.png", "test/NG/0.bmp", "test/NG/0.png"):
        paint(tmp_path / name, 9)
    lines: list[str] = []
    assert len(labelled_files(str(tmp_path), notify=lines.append)) == 3
    assert lines == [
        f"{tmp_path}: takes both test/NG/0.bmp and test/NG/0.png; move masks to a folder called masks, and copies away"
    ]


def test_several_products_are_evaluated_one_by_one(tmp_path: Path) -> None:
    for folder in ("bottle/test/good", "bottle/test/dent", "cable/test/good", "cable/test/cut"):
        paint(tmp_path / folder / "0.png", 9)
    with pytest.raises(InputError) as raised:
        labelled_files(str(tmp_path))
    assert str(raised.value) == (
        f"{tmp_path}: holds test images of 2 products or parts, bottle, cable; evaluate one: adtrain evaluate FILE "
        f"{tmp_path}/bottle"
    )


def test_a_labels_file_below_test_is_found(tmp_path: Path) -> None:
    for name, grey in (("a.png", 10), ("b.png", 200)):
        paint(tmp_path / "test" / name, grey)
    (tmp_path / "test" / "labels.csv").write_text("path,label,is_anomaly\na.png,1,false\nb.png,3,true\n")
    assert {file.kind: file.is_anomaly for file in labelled_files(str(tmp_path))} == {"1": False, "3": True}


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ([], "no images in this folder"),
        (["test/scratch/1.png"], "nothing tells which of its images are normal; give a folder of one of these"),
        (["test/good/1.png"], "images are both needed to evaluate, and there is one kind only: good"),
        (["test/good/1.png", "test/2.png"], "test/2.png: lies in no folder that tells its kind; move it to one"),
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
