import csv
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adscore.errors import InputError, OutputError
from adtrain.arrays import Split, load_demo, load_images, load_labelled, read_idx
from adtrain.dataset import unsupervised_set, write_set
from tests.conftest import Run
from tests.train.sets import COUNTS, idx, labelled, npz


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_form_of_source_gives_the_same(tmp_path: Path, split: Split) -> None:
    from_npz = load_labelled(str(npz(tmp_path / "set.npz")), split)
    from_folder = load_labelled(str(idx(tmp_path)), split)
    name = "train-images-idx3-ubyte" if split == "train" else "t10k-images-idx3-ubyte.gz"
    from_file = load_labelled(str(tmp_path / name), split)
    for other in (from_folder, from_file):
        assert (other.images == from_npz.images).all()
        assert (other.labels == from_npz.labels).all()
    assert len(from_npz.labels) == (100 if split == "train" else 40)


def test_images_to_train_on_need_no_labels(tmp_path: Path) -> None:
    images, _ = labelled()
    np.savez(tmp_path / "plain.npz", images)
    idx(tmp_path)
    for path in (npz(tmp_path / "set.npz"), tmp_path / "plain.npz", tmp_path / "train-images-idx3-ubyte"):
        assert (load_images(path) == images).all()


def test_bundled_set_is_the_seeds() -> None:
    train, test = load_demo("train"), load_demo("test")
    assert np.unique(train.labels, return_counts=True)[1].tolist() == [6742, 67]
    assert np.unique(test.labels, return_counts=True)[1].tolist() == [1135, 1010]
    assert train.images.shape[1:] == test.images.shape[1:] == (28, 28)


def test_set_holds_all_normal_images_and_the_share_of_anomalies(tmp_path: Path) -> None:
    source = load_labelled(str(npz(tmp_path / "set.npz")), "train")
    chosen = unsupervised_set(source, normal=1, anomaly=7, contamination=0.1, seed=1)
    assert (chosen.labels == 1).sum() == COUNTS[1]
    assert (chosen.labels == 7).sum() == int(COUNTS[1] * 0.1)
    assert (chosen.images[:, 0, 1] == chosen.labels).all()
    assert len(set(chosen.images[:, 0, 0])) == len(chosen.labels)
    everything = unsupervised_set(source, normal=1, anomaly=7, contamination=None, seed=1)
    assert (everything.labels == 7).sum() == COUNTS[7]


def test_the_seed_decides_draw_and_order(tmp_path: Path) -> None:
    source = load_labelled(str(npz(tmp_path / "set.npz")), "train")
    first, again, other = (
        unsupervised_set(source, normal=1, anomaly=7, contamination=0.1, seed=seed).images[:, 0, 0].tolist()
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert first != sorted(first)


def test_more_anomalies_than_there_are_is_refused(tmp_path: Path) -> None:
    source = load_labelled(str(npz(tmp_path / "set.npz")), "train")
    with pytest.raises(InputError, match="a contamination of 0.5 takes 25 images of label 7 and there are 20; lower"):
        unsupervised_set(source, normal=1, anomaly=7, contamination=0.5, seed=1)
    with pytest.raises(InputError, match="label 1 cannot be both normal and anomalous"):
        unsupervised_set(source, normal=1, anomaly=1, contamination=0.5, seed=1)
    with pytest.raises(InputError, match="no image has label 5; the labels are 0, 1, 7"):
        unsupervised_set(source, normal=5, anomaly=7, contamination=0.1, seed=1)


def test_files_hold_the_pixels_and_the_labels_stand_beside(run: Run, tmp_path: Path) -> None:
    npz(tmp_path / "set.npz")
    options = ["--normal", "1", "--anomaly", "7", "--contamination", "0.1", "--seed", "1"]
    done = run("adtrain", "dataset", "set.npz", *options, "--out", "made")
    assert (done.returncode, done.stdout) == (0, "made: 50 images of label 1 and 5 of label 7\n")
    with (tmp_path / "made" / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(list((tmp_path / "made").glob("*.png"))) == 55
    for row in rows:
        pixels = np.asarray(Image.open(tmp_path / "made" / row["path"]))
        assert str(pixels[0, 1]) == row["label"]
        assert row["is_anomaly"] == ("true" if row["label"] == "7" else "false")


def test_a_folder_may_have_any_name(run: Run, tmp_path: Path) -> None:
    npz(tmp_path / "set.npz")
    name = os.fsdecode(b"\xff\x1b[31m")
    done = run("adtrain", "dataset", "set.npz", "--anomaly", "7", "--out", name, PYTHONIOENCODING="utf-8:strict")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("\\udcff\\x1b[31m: ")
    assert (tmp_path / name / "labels.csv").is_file()


def test_a_folder_is_replaced_only_by_force(tmp_path: Path) -> None:
    chosen = unsupervised_set(
        load_labelled(str(npz(tmp_path / "s.npz")), "test"), normal=1, anomaly=7, contamination=0, seed=1
    )
    write_set(chosen, tmp_path / "made", anomaly=7, force=False)
    (tmp_path / "made" / "9999.png").touch()
    with pytest.raises(OutputError, match="made: exists already; choose another --out, or replace it with --force"):
        write_set(chosen, tmp_path / "made", anomaly=7, force=False)
    write_set(chosen, tmp_path / "made", anomaly=7, force=True)
    assert not (tmp_path / "made" / "9999.png").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "s.npz"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "the file is empty"),
        (b"\0\0\x08\x03\0\0\0\x09\0\0\0\x08\0\0\0\x08", "no IDX file of uint8"),
        (b"\0\0\x0d\x01\0\0\0\x01abcd", "no IDX file of uint8"),
        (b"\0\0\x08\x03" + b"\xff" * 12 + b"abcd", "cannot be read"),
        (b"\0\0\x08\x01\0\0\0\x03abcd", "no IDX file of uint8"),
    ],
    ids=["empty", "cut", "floats", "huge", "longer"],
)
def test_damaged_idx_is_refused(tmp_path: Path, content: bytes, fault: str) -> None:
    (tmp_path / "images").write_bytes(content)
    with pytest.raises(InputError, match=fault):
        read_idx(tmp_path / "images")


def test_damaged_or_foreign_npz_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"no zip")
    np.savez(tmp_path / "foreign.npz", a=np.zeros(3), b=np.zeros(3))
    np.savez(tmp_path / "floats.npz", np.zeros((3, 8, 8)))
    np.savez(tmp_path / "empty.npz", np.zeros((3, 0, 8), np.uint8))
    np.savez_compressed(tmp_path / "damaged.npz", np.random.default_rng(0).integers(0, 9, (9, 8, 8), np.uint8))
    content = bytearray((tmp_path / "damaged.npz").read_bytes())
    content[150:170] = bytes(20)
    (tmp_path / "damaged.npz").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as file, file.open("x_train.npy", "w") as array:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**13, 28, 28)}
        np.lib.format.write_array_header_1_0(array, header)
    for name, fault in {
        "huge.npz": "its array x_train cannot be read",
        "bad.npz": "cannot be read as .npz",
        "damaged.npz": "its array arr_0 cannot be read",
        "empty.npz": r"and these are uint8 of shape \(3, 0, 8\)",
        "foreign.npz": "holds a, b and no x_train",
        "floats.npz": r"images must be uint8 of shape .* these are float64 of shape \(3, 8, 8\)",
    }.items():
        with pytest.raises(InputError, match=fault):
            load_images(tmp_path / name)
    with pytest.raises(InputError, match="holds no x_train and no y_train; the layout is that of keras.datasets"):
        load_labelled(str(tmp_path / "foreign.npz"), "train")
    with pytest.raises(InputError, match="no such file or folder; give a .npz, an IDX file, or mnist, fashion-mnist"):
        load_labelled(str(tmp_path / "gone.npz"), "train")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_without_internet_the_words_say_what_to_do(run: Run, tmp_path: Path, name: str) -> None:
    # A proxy that refuses every connection stands for no internet; an empty home has no cached copy.
    offline = {"HOME": str(tmp_path), "KERAS_HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9"}
    done = run("adtrain", "dataset", name, "--out", "made", **offline)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(f"error: {name}: cannot be downloaded by keras.datasets (")
    assert "Traceback" not in done.stderr
    assert "Give a .npz file, or use the bundled set: demo" in done.stderr
