"""Which images fit takes, over made trees: names alone, no files."""

import re
from pathlib import Path

import pytest

from adscore.errors import InputError
from adtrain.layout import WORDS
from adtrain.normal_images import choose
from adtrain.selection import BY_NAMES, Selection, select
from tests.conftest import ROOT, Run
from tests.tiny import paint


def tree(*folders: str) -> list[str]:
    """Returns the names of two images in each folder, "" being the top."""
    return sorted(f"{folder}/{number}.png".lstrip("/") for folder in folders for number in (0, 1))


def taken(names: list[str], selection: Selection = BY_NAMES) -> list[str]:
    return [names[index] for index in choose("parts", names, selection).taken]


def told(names: list[str], selection: Selection = BY_NAMES) -> list[str]:
    return [line.removeprefix("parts: ") for line in choose("parts", names, selection).lines]


LAYOUTS = [
    # MVTec AD and MVTec LOCO, then other words, cases and orders.
    (["train/good"], ["test/good", "test/dent", "ground_truth/dent"],
     "4 test images: 2 in test/dent, 2 in test/good; 2 masks in ground_truth"),
    (["train/good"], ["validation/good", "test/logical_anomalies", "readme"],
     "2 other images in readme; 4 test images: 2 in test/logical_anomalies, 2 in validation/good"),
    (["Train/Good"], ["TEST/NG"], "2 anomalies in TEST/NG"),
    (["train/OK"], ["test/OK", "test/NG", "Ground Truth/NG"],
     "2 anomalies in test/NG; 2 test images in test/OK; 2 masks in Ground Truth/NG"),
    (["train/ok"], ["train/Not OK", "test/ko"], "4 anomalies: 2 in test/ko, 2 in train/Not OK"),
    (["OK/train"], ["OK/test", "NG/test"], "2 anomalies in NG/test; 2 test images in OK/test"),
    (["train"], ["test"], "2 test images in test"),
    (["bottle/train/good"], ["bottle/test/good"], "2 test images in bottle/test/good"),
    # VisA.
    (["Data/Images/Normal"], ["Data/Images/Anomaly", "Data/Masks/Anomaly"],
     "2 anomalies in Data/Images/Anomaly; 2 masks in Data/Masks/Anomaly"),
    # Without halves.
    (["good"], ["bad"], "2 anomalies in bad"),
    (["OK"], ["NG/camera1", "NG/camera2"], "4 anomalies in NG"),
    (["pass"], ["Fail", "broken", "no-good"], "6 anomalies: 2 in Fail, 2 in broken, 2 in no-good"),
    (["images"], ["masks"], "2 masks in masks"),
    ([""], ["defects"], "2 anomalies in defects"),
]  # fmt: skip


@pytest.mark.parametrize(("normal", "others", "left_out"), LAYOUTS)
def test_layouts_are_known_by_the_names_of_their_folders(normal: list[str], others: list[str], left_out: str) -> None:
    names = tree(*normal, *others)
    assert taken(names) == tree(*normal)
    where = f" in {normal[0]}" if normal[0] else ""
    assert told(names) == [f"takes as normal 2 images{where}", f"leaves out {left_out}"]


@pytest.mark.parametrize(
    ("folders", "where"),
    [
        ([""], ""),
        (["images"], " in images"),
        (["", "camera2"], ": 2 in its top, 2 in camera2"),
        (["2026-01-01/camera1", "2026-01-01/camera2", "2026-01-02/camera1"], ": 4 in 2026-01-01, 2 in 2026-01-02"),
        (list("abcdefg"), ": 2 in a, 2 in b, 2 in c, 2 in d, 2 in e, 4 in 2 more"),
        # Names are compared as a whole.
        (["Bad Aibling", "Rosenheim"], ": 2 in Bad Aibling, 2 in Rosenheim"),
        (["goods", "passau", "latest"], ": 2 in goods, 2 in latest, 2 in passau"),
    ],
)
def test_names_that_say_nothing_are_all_taken(folders: list[str], where: str) -> None:
    names = tree(*folders)
    assert taken(names) == names
    assert told(names) == [f"takes as normal all {len(names)} images{where}"]


@pytest.mark.parametrize(
    "names",
    [
        ["0.jpg", "0_mask.png", "1.jpg", "1_mask.png"],
        ["a/0.JPG", "a/0-GT.BMP", "a/1.jpg"],
        ["Part0.jpg", "Part0_label.bmp", "Part1.jpg", "Part9_label.bmp"],  # one more without its picture
        ["train/0.png", "train/Label/0_label.png"],
        ["0.png", "0_ground_truth.png"],
        ["0.png", "mask/0.png"],
        ["a/image.png", "a/mask.png", "b/image.png", "b/GT.bmp"],
    ],
)
def test_masks_beside_pictures_are_left_out(names: list[str]) -> None:
    masks = [name for name in names if any(word in name.lower() for word in ("mask", "gt", "label", "truth"))]
    assert taken(names) == [name for name in names if name not in masks]
    assert told(names)[1].startswith(f"leaves out {len(masks)} mask")


def test_pictures_that_differ_in_suffix_alone_are_said() -> None:
    names = ["0.jpg", "0.png", "1.jpg", "1.png", "a/2.jpg"]
    assert taken(names) == names
    assert told(names)[1:] == ["takes both 0.jpg and 0.png; if one is a mask, or a copy: --exclude '*.png'"]
    assert told(["0.jpg", "a/0.png", "1.PNG", "1.png"])[1:] == []


def test_an_ending_alone_makes_no_mask() -> None:
    names = ["0_label.png", "1_label.png", "back_mask.png", "unmask.png"]
    assert taken(names) == names


UNCERTAIN = [
    (["bottle/train/good", "cable/train/good", "cable/test/good"],
     "holds normal images of 2 products or parts, bottle, cable; train on one: adtrain fit parts/bottle; or name with "
     "--normal, once each, those to train on as one"),
    (["a b/Data/Images/Normal", "c/Data/Images/Normal", "c/Data/Masks/Anomaly"],
     "holds normal images of 2 products or parts, a b, c; train on one: adtrain fit 'parts/a b'; or name with "
     "--normal, once each, those to train on as one"),
    (["train/a/good", "train/b/good"],
     "holds normal images of 2 products or parts, train/a/good, train/b/good; train on one: adtrain fit "
     "parts/train/a/good; or name with --normal, once each, those to train on as one"),
    (["good", "scratch"], "holds good, and beside it images of no known kind, in scratch; {} --normal parts/good"),
    (["good", ""], "holds good, and beside it images of no known kind, in its top; {} --normal parts/good"),
    (["train/good", "train"],
     "holds train/good, and beside it images of no known kind, in train; {} --normal parts/train/good"),
    (["train/good", "OK"], "holds normal images in several places, train/good, OK; {} --normal parts/train/good"),
    (["test/good", "test/dent"], "holds test images only; {} --normal parts/test/good"),
    (["bad", "scratch"], "holds bad and no folder that is called good, but scratch; {} --normal parts/scratch"),
    (["ok_front", "def_front"],
     "holds folders that look like normal images and defects, def_front, ok_front; {} --normal parts/ok_front"),
    (["bad"], "holds no images to train on, only 2 anomalies in bad; {} --normal parts/bad"),
]  # fmt: skip


@pytest.mark.parametrize(("folders", "fault"), UNCERTAIN)
def test_what_is_uncertain_is_refused_with_what_to_type(folders: list[str], fault: str) -> None:
    with pytest.raises(InputError) as raised:
        choose("parts", tree(*folders), BY_NAMES)
    command = "say which folders are normal, for instance: adtrain fit parts"
    assert str(raised.value) == "parts: " + fault.format(command)


def test_names_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(InputError, match="^good/broken: its folders say both normal and anomaly; rename one;"):
        choose("parts", tree("good/broken"), BY_NAMES)


def test_a_folder_that_cannot_be_read_counts_by_its_own_name() -> None:
    assert taken(["bad", "good/0.png"]) == ["good/0.png"]


def test_normal_folders_are_taken_as_named_and_nothing_else() -> None:
    names = tree("good", "bad", "odd", "odd/new")
    selection = Selection(normal=("odd", "bad"))
    assert taken(names, selection) == tree("bad", "odd", "odd/new")
    assert told(names, selection) == [
        "takes as normal 6 images: 2 in bad, 4 in odd",
        "leaves out 2 other images in good",
    ]
    assert taken(names, Selection(normal=(".",))) == names


def test_masks_in_normal_folders_are_left_out_and_said() -> None:
    names = ["a/0.jpg", "a/0_mask.png", "a/gt/0.png", "labels/0.png", "masks/0.png", "x/0.png"]
    selection = Selection(normal=("a", "labels"))
    assert taken(names, selection) == ["a/0.jpg", "labels/0.png"]
    assert told(names, selection) == [
        "takes as normal 2 images: 1 in a, 1 in labels",
        "leaves out 2 other images: 1 in masks, 1 in x; 1 mask beside its picture in a; 1 mask in a/gt",
    ]
    assert taken(names, Selection(normal=(".",))) == ["a/0.jpg", "x/0.png"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.bmp", ["a/0.png", "a/b/0.png", "c/0.png"]),
        ("a", ["0.bmp", "c/0.png"]),
        ("a/*", ["0.bmp", "c/0.png"]),
        ("./a/b/", ["0.bmp", "a/0.png", "c/0.png"]),
        ("b/*", None),
        ("*.BMP", None),
    ],
)
def test_exclude_is_by_name_or_from_the_top(pattern: str, left: list[str] | None) -> None:
    names = ["0.bmp", "a/0.png", "a/b/0.png", "c/0.png"]
    if left is None:
        with pytest.raises(InputError, match="fits no image; give a pattern of names as they are within parts"):
            taken(names, Selection(exclude=(pattern,)))
    else:
        assert taken(names, Selection(exclude=(pattern,))) == left


def test_exclude_goes_first() -> None:
    names = tree("good", "scratch", "dent")
    selection = Selection(exclude=("scratch", "dent"))
    assert taken(names, selection) == tree("good")
    assert told(names, selection)[1] == "leaves out 4 excluded images: 2 in dent, 2 in scratch"
    assert taken(names, Selection(normal=("good", "dent"), exclude=("1.png",))) == ["dent/0.png", "good/0.png"]
    with pytest.raises(InputError, match="parts: all its images are excluded; give a narrower --exclude"):
        taken(names, Selection(exclude=("*",)))
    with pytest.raises(InputError, match="parts: --normal good holds no image to train on; name a folder that does"):
        taken(names, Selection(normal=("dent", "good"), exclude=("good",)))


def test_a_slip_costs_no_training(run: Run, tmp_path: Path) -> None:
    paint(tmp_path / "parts" / "good" / "0.png", 9)
    done = run("adtrain", "fit", "parts", "--normal", "parts/god")
    assert (done.returncode, done.stdout, done.stderr) == (
        1, "", "error: parts/god: no such folder within parts; --normal names a folder of normal images in it\n",
    )  # fmt: skip


def test_the_words_are_those_of_the_readme() -> None:
    rows = {
        row[1].strip(): re.findall(r"`([a-z_]+)`", row[2])
        for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
        if len(row := line.split("|")) == 4
    }
    told = {"normal": "normal images", "anomaly": "anomalies", "train": "images for training"}
    told |= {"test": "images for tests", "mask": "masks"}
    assert {role: tuple(rows[name]) for role, name in told.items()} == WORDS


def test_folders_are_named_from_where_one_is_or_from_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint(tmp_path / "parts" / "good" / "0.png", 9)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "parts" / "linked").symlink_to(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    for folder in ("good", "./good/", "parts/good", str(tmp_path / "parts" / "good")):
        assert select("./parts", normal=[folder], exclude=[]) == Selection(("good",))
    assert select("parts", normal=["parts", "linked"], exclude=["*_old.png"]) == Selection(
        (".", "linked"), ("*_old.png",)
    )
    for folder in ("elsewhere", "gone", "good/0.png"):
        with pytest.raises(InputError, match=f"^{folder}: no such folder within parts; --normal names a folder of"):
            select("parts", normal=[folder], exclude=[])
    with pytest.raises(InputError, match="^the bundled demo set: is no folder; --normal and --exclude choose among"):
        select(None, normal=[], exclude=["*"])
