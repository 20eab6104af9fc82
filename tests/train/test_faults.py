"""What may go wrong about a training and a run folder: one clear error each, and nothing half written."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from adtrain.quiet import import_tensorflow
from adtrain.run import RunError, load_held_out, load_run, load_weights
from tests.conftest import Run
from tests.tiny import paint, paint_parts

pytestmark = pytest.mark.slow

ASKED = {"filters": (4, 8), "latent": 4, "epochs": 1, "views": 1}
SMALL = ["--filters", "4,8", "--latent", "4", "--epochs", "1", "--views", "1"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with `parts`, 25 images, and `run`, trained on them."""
    import_tensorflow()
    import adtrain.fit

    folder = tmp_path_factory.mktemp("trained")
    adtrain.fit.fit(str(paint_parts(folder / "parts", 25)), folder / "run", ASKED, notify=lambda _: None)
    return folder


@pytest.fixture
def here(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained / "run", tmp_path / "run")
    return tmp_path


def limited(folder: Path, kilobytes: int, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs a command that may write no file larger than this, which fails as a full disk does."""
    script, *rest = map(str, command)
    call = f'ulimit -f {kilobytes}; exec "$@"'
    return subprocess.run(
        ["bash", "-c", call, "-", str(Path(sys.executable).with_name(script)), *rest],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_images_that_are_all_the_same_are_refused(run: Run, tmp_path: Path) -> None:
    for index in range(25):
        paint(tmp_path / "parts" / f"{index}.png", 90, size=(8, 8))
    done = run("adtrain", "fit", "parts", "--out", "run", *SMALL)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "parts: takes as normal all 25 images\n"
        "error: all 25 images are the same, pixel for pixel; give images that show how normal parts vary\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["parts"]


def test_scores_that_are_all_the_same_can_be_drawn(tmp_path: Path) -> None:
    from adtrain.pictures import draw_histogram
    from tests.tiny import tiny_spec

    for score in (0.0, 1e-30, 0.5):
        draw_histogram(np.full(9, score, np.float32), tiny_spec().calibration, tmp_path / "histogram.png")
    assert (tmp_path / "histogram.png").stat().st_size > 1000


def test_every_kind_of_unreadable_image_is_left_out_by_name(run: Run, tmp_path: Path) -> None:
    parts = paint_parts(tmp_path / "parts", 60)
    (parts / "a.png").touch()
    (parts / "b.png").symlink_to("gone")
    (parts / "c\n.png").write_bytes(b"no image")
    (parts / "d.png").write_bytes((parts / "000.png").read_bytes()[:60])
    done = run("adtrain", "fit", "parts", "--out", "run", *SMALL)
    assert done.returncode == 0
    assert done.stderr.splitlines()[:6] == [
        "parts: takes as normal all 64 images",
        "left out, unreadable: a.png: the file is empty",
        "left out, unreadable: b.png: No such file or directory",
        "left out, unreadable: c\\n.png: not an image in a known format (BMP, GIF, JPEG, PNG, PPM, TIFF, WEBP)",
        "left out, unreadable: d.png: damaged or truncated PNG: the checksum of its pixels is wrong",
        "parts: 48 images to train on, 12 held out, 8x8 L",
    ]


@pytest.mark.parametrize("kilobytes", [1, 16, 64])
def test_a_run_that_cannot_be_written_leaves_nothing(trained: Path, tmp_path: Path, kilobytes: int) -> None:
    parts = trained / "parts"
    done = limited(tmp_path, kilobytes, "adtrain", "fit", parts, "--out", "run", *SMALL)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == "error: run: cannot be written (File too large); choose another --out"
    assert list(tmp_path.iterdir()) == []


def test_a_detector_that_cannot_be_written_leaves_the_old_one(here: Path) -> None:
    (here / "detector.onnx").write_bytes(b"old")
    before = {path.name: path.read_bytes() for path in (here / "run").iterdir()}
    done = limited(here, 1, "adtrain", "export", "run", "--out", "detector.onnx")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].endswith("cannot be written (File too large); choose another --out")
    assert sorted(path.name for path in here.iterdir()) == ["detector.onnx", "run"]
    assert (here / "detector.onnx").read_bytes() == b"old"
    assert {path.name: path.read_bytes() for path in (here / "run").iterdir()} == before


def rewritten(weights: Path, name: str, content: bytes) -> None:
    """Replaces a part of a `.keras` file, so that its checksums hold."""
    with zipfile.ZipFile(weights) as file:
        parts = {each: file.read(each) for each in file.namelist()}
    with zipfile.ZipFile(weights, "w") as file:
        for each, old in parts.items():
            file.writestr(each, content if each == name else old)


def test_code_in_the_weights_is_not_run(here: Path) -> None:
    import keras

    network = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Lambda(lambda images: images)])
    network.save(here / "run" / "autoencoder.keras")
    with pytest.raises(RunError, match=r"its autoencoder\.keras cannot be read \(.*[Ll]ambda"):
        load_weights(load_run(here / "run"))


def test_weights_of_another_network_are_refused(here: Path) -> None:
    import keras

    network = keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Conv2D(1, 3, padding="same")])
    network.save(here / "run" / "autoencoder.keras")
    with pytest.raises(RunError) as raised:
        load_weights(load_run(here / "run"))
    assert str(raised.value).endswith(
        "its autoencoder.keras is a network of (None, 16, 16, 1) and not of (None, 8, 8, 1); train again"
    )


def test_weights_that_lack_layers_are_refused_and_not_left_random(here: Path) -> None:
    import h5py

    weights = here / "run" / "autoencoder.keras"
    with zipfile.ZipFile(weights) as file:
        (here / "weights.h5").write_bytes(file.read("model.weights.h5"))
    with h5py.File(here / "weights.h5", "a") as content:
        content["layers"].move("functional", "elsewhere")
    rewritten(weights, "model.weights.h5", (here / "weights.h5").read_bytes())
    with pytest.raises(RunError, match=r"its autoencoder\.keras cannot be read \("):
        load_weights(load_run(here / "run"))


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_damaged_parts_of_the_weights_are_refused(here: Path, name: str) -> None:
    rewritten(here / "run" / "autoencoder.keras", name, b"\x89HDF\r\n\x1a\n damaged")
    with pytest.raises(RunError, match=r"its autoencoder\.keras cannot be read \("):
        load_weights(load_run(here / "run"))


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, "{}", '{"image": 1}', "\ud800", " " * (2**24 + 1)])
def test_a_damaged_record_is_refused(here: Path, text: str) -> None:
    (here / "run" / "run.json").write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(RunError, match=r"run: its run.json (is damaged|cannot be read)"):
        load_run(here / "run")


def test_held_out_images_of_another_run_are_refused(here: Path) -> None:
    np.save(here / "run" / "held_out.npy", np.zeros((5, 16, 16, 1), np.uint8))
    with pytest.raises(RunError, match=r"its held_out\.npy is uint8 \(5, 16, 16, 1\) and not of \(8, 8, 1\); train"):
        load_held_out(load_run(here / "run"))
    np.save(here / "run" / "held_out.npy", np.array([{"code": 1}], object), allow_pickle=True)
    with pytest.raises(RunError, match=r"its held_out\.npy cannot be read \("):
        load_held_out(load_run(here / "run"))


def test_a_foreign_folder_is_no_run(run: Run, tmp_path: Path) -> None:
    paint_parts(tmp_path / "parts", 2)
    done = run("adtrain", "export", "parts")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: parts: no run here (No such file or directory); train one with adtrain fit\n"
    (tmp_path / "parts" / "run.json").write_text(json.dumps({"name": "another tool's"}))
    done = run("adtrain", "export", "parts")
    assert done.stderr.startswith("error: parts: its run.json is damaged ('image'); train again")
