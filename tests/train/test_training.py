"""Training and run folders, with the real command where a user would use it."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adscore.errors import InputError
from adscore.images import Pixels
from adtrain.quiet import import_tensorflow
from adtrain.settings import Draft
from tests.conftest import Run
from tests.tiny import paint_parts

pytestmark = pytest.mark.slow

SMALL = ["--filters", "4,8", "--latent", "4", "--epochs", "3", "--views", "1"]


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    return paint_parts(tmp_path / "parts", 60)


def test_a_run_folder_is_complete(run: Run, parts: Path, tmp_path: Path) -> None:
    done = run("adtrain", "fit", parts, "--out", "a/r 1", *SMALL)
    assert (done.returncode, done.stdout) == (0, "")
    said, *lines = done.stderr.splitlines()
    assert said == f"{parts}: takes as normal all 60 images"
    assert lines[0] == f"{parts}: 48 images to train on, 12 held out, 8x8 L"
    assert lines[1] == "a scout first looks for images that stand out; then the network proper is trained"
    assert lines[2].startswith("epoch 1/3: loss 0.")
    assert lines[-1] == "run: a/r 1 (weights, held-out images, history and pictures); next: adtrain export 'a/r 1'"
    folder = tmp_path / "a" / "r 1"
    assert sorted(path.name for path in folder.iterdir()) == [
        "autoencoder.keras", "held_out.npy", "histogram.png", "history.csv", "left_out.txt", "montage.png", "run.json",
        "training.png",
    ]  # fmt: skip
    record = json.loads((folder / "run.json").read_text())
    assert record["image"]["width"] == 8
    assert record["training"]["images"] == 48
    settings = record["training"]["settings"]
    assert settings.pop("left_out") == len((folder / "left_out.txt").read_text().splitlines()) <= 12
    blur = 0.7 if settings.pop("repair") else 0.0  # the scout decides
    assert settings == {
        "filters": [4, 8], "decoder": "narrow", "latent": 4, "tile": 0, "robust": True,
        "score": "relative", "blur": blur, "epochs": 3, "views": 1, "batch_size": 64, "learning_rate": 0.0015,
        "start_at_mean": True, "momentum": 0.9, "light": "as_is",
        "trim": 0.0, "decay": None, "held_out": 0.2, "seed": 42, "kept_epoch": 3, "interrupted": False,
    }  # fmt: skip
    scoring = record["scoring"]
    assert (scoring["reduction"], scoring["blur"], scoring["tile"]) == ("relative", blur, 0)
    assert len(scoring["typical"]["statistics"]) == 5
    assert record["training"]["versions"].keys() >= {"adscore", "keras", "onnxruntime", "tensorflow", "tf2onnx"}
    held_out: Pixels = np.load(folder / "held_out.npy")
    assert held_out.shape == (12, 8, 8, 1)
    assert held_out.dtype == np.uint8
    with (folder / "history.csv").open() as file:
        history = list(csv.DictReader(file))
    assert [row["epoch"] for row in history] == ["1", "2", "3"]
    assert all(0 < float(row[name]) < 1 for row in history for name in ("loss", "held_out_loss"))


def test_a_run_is_replaced_only_by_force(run: Run, parts: Path, tmp_path: Path) -> None:
    assert run("adtrain", "fit", parts, "--out", "run", *SMALL).returncode == 0
    before = (tmp_path / "run" / "run.json").read_text()
    refused = run("adtrain", "fit", parts, "--out", "run", *SMALL)
    assert (refused.returncode, refused.stderr) == (
        1, "error: run: exists already; choose another --out, or replace it with --force\n",
    )  # fmt: skip
    assert run("adtrain", "fit", parts, "--out", "run", "--force", "--seed", "7", *SMALL).returncode == 0
    assert (tmp_path / "run" / "run.json").read_text() != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts", "run"]


def test_force_replaces_nothing_but_a_run(run: Run, parts: Path) -> None:
    done = run("adtrain", "fit", parts, "--out", parts, "--force", *SMALL)
    assert (done.returncode, done.stderr) == (
        1, f"error: {parts}: holds {next(parts.iterdir()).name}, which this command did not write, so it is "
        "not replaced; choose another --out\n",
    )  # fmt: skip
    assert len(list(parts.iterdir())) == 60


def test_a_run_among_the_images_is_refused(run: Run, parts: Path) -> None:
    done = run("adtrain", "fit", parts, "--out", parts / "run", *SMALL)
    assert (done.returncode, done.stderr) == (
        1, f"error: {parts / 'run'}: lies within {parts}, whose images are trained on; choose an --out outside of it\n",
    )  # fmt: skip


def test_a_users_own_keras_settings_do_not_count(run: Run, parts: Path, tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text('{"backend": "jax", "image_data_format": "channels_first"}')
    settings = {"KERAS_BACKEND": "jax", "KERAS_HOME": str(tmp_path)}
    done = run("adtrain", "fit", parts, "--out", "run", *SMALL, **settings)
    assert done.returncode == 0, done.stderr


def test_two_runs_give_the_same_weights_and_another_seed_others(parts: Path) -> None:
    import_tensorflow()
    from adtrain.source import open_source, survey
    from adtrain.training import split, train

    source = open_source(str(parts), size=None, mode=None)

    def weights(seed: int) -> list[bytes]:
        draft = Draft(filters=(4,), latent=4, epochs=2, seed=seed)
        training, held_out = split(survey(source).readable, draft)
        autoencoder = train(source, training, held_out, draft, "as_is").autoencoder
        return [array.tobytes() for array in autoencoder.get_weights()]

    first, again, other = weights(1), weights(1), weights(2)
    assert first == again
    assert first != other


def interrupt_after(line: str, command: list[str], cwd: Path) -> tuple[int, str]:
    """Runs a command, sends SIGINT once a line of its stderr starts with `line`, and returns (exit code, stderr)."""
    script = str(Path(sys.executable).with_name(command[0]))
    with subprocess.Popen([script, *command[1:]], cwd=cwd, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        seen = ""
        for text in process.stderr:
            seen += text
            if text.startswith(line):
                os.kill(process.pid, signal.SIGINT)
                break
        seen += process.stderr.read()
        return process.wait(), seen


def test_ctrl_c_keeps_the_best_weights_so_far(run: Run, parts: Path, tmp_path: Path) -> None:
    command = [
        "adtrain",
        "fit",
        str(parts),
        "--out",
        "run",
        "--filters",
        "4,8",
        "--epochs",
        "100000",
        "--views",
        "1",
        "--no-robust",
    ]
    code, stderr = interrupt_after("epoch 2/", command, tmp_path)
    assert code == 0, stderr
    assert "interrupted: keeping the best weights so far, those of epoch " in stderr
    settings = json.loads((tmp_path / "run" / "run.json").read_text())["training"]["settings"]
    assert settings["interrupted"] is True
    with (tmp_path / "run" / "history.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert settings["kept_epoch"] == 1 + losses.index(min(losses))
    exported = run("adtrain", "export", "run", "--fpr", "0.1", "--out", "detector.onnx")
    assert exported.returncode == 0


def test_ctrl_c_before_the_first_epoch_leaves_nothing(parts: Path, tmp_path: Path) -> None:
    large = ["--size", "256x256", "--filters", "64,64", "--epochs", "2", "--batch-size", "60"]
    code, stderr = interrupt_after(
        f"{parts}: 48 images", ["adtrain", "fit", str(parts), "--out", "run", *large], tmp_path
    )
    assert code == 1, stderr
    assert stderr.splitlines()[-1] == (
        "error: interrupted before the network's first epoch ended; nothing was written. Start again"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["parts"]


def test_unreadable_images_are_named_and_left_out(run: Run, parts: Path) -> None:
    (parts / "bad.png").write_bytes(b"no image")
    done = run("adtrain", "fit", parts, "--out", "run", *SMALL)
    assert done.returncode == 0
    assert done.stderr.splitlines()[1].startswith("left out, unreadable: bad.png: not an image in a known format")
    assert done.stderr.splitlines()[2] == f"{parts}: 48 images to train on, 12 held out, 8x8 L"


def test_too_many_unreadable_images_are_refused(run: Run, parts: Path) -> None:
    for index in range(10):
        (parts / f"bad{index}.png").write_bytes(b"no image")
    done = run("adtrain", "fit", parts, "--out", "run", *SMALL)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: 10 of 70 images cannot be read, more than 10%; remove or repair them"
    )


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--size", "27x27"], 1, "error: image size 27x27 does not fit 2 halvings: width and height must be multiples"),
        (["--size", "0x0"], 2, "Error: Invalid value for --size: 0x0: sides are 1 to 8192 pixels long"),
        (["--seed", "4294967296"], 2, "Error: Invalid value for '--seed'"),
        (["--learning-rate", "inf"], 1, "error: --learning-rate is inf and must be greater than 0 and finite"),
        (["--size", "big"], 2, "Error: Invalid value for --size: big is not of the form 128x128"),
        (["--filters", "a"], 2, "Error: Invalid value for --filters: a is not of the form 32,64"),
        (["--blur", "3"], 1, "error: --blur 3 reaches 9 pixels and the picture's shorter side is 8; give at most 2.67"),
        (["--recipe", "tutorial", "--epochs", "0"], 1, "error: --epochs is 0 and must be greater than 0 and finite"),
        (["--tile", "9"], 1, "error: --tile is 9 and must be 0 (whole pictures), or even and at least 8"),
        (["--tile", "10"], 1, "error: --tile is 10 and does not fit 2 halvings; it must be a multiple of 4"),
        (["--views", "0"], 1, "error: --views is 0 and must be greater than 0 and finite"),
        (["--epochs", "0"], 1, "error: --epochs is 0 and must be greater than 0 and finite"),
        (["--held-out", "1"], 1, "error: --held-out is 1 and must lie between 0 and 1"),
        (["--held-out", "0.001"], 1, "error: 60 images cannot be split with --held-out 0.001: both parts need one"),
        (["--learning-rate", "1e30", "--epochs", "9", "--no-repair"], 1, "error: the loss is nan after epoch "),
    ],
)
def test_settings_that_cannot_work_are_refused(
    run: Run, parts: Path, tmp_path: Path, options: list[str], code: int, message: str
) -> None:
    done = run("adtrain", "fit", parts, "--out", "run", *options)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.splitlines()[-1].startswith(message)
    assert not (tmp_path / "run").exists()


def test_too_few_images_are_refused(run: Run, tmp_path: Path) -> None:
    done = run("adtrain", "fit", paint_parts(tmp_path / "few", 4), "--out", "run")
    assert done.stderr.splitlines()[-1].startswith("error: 4 images cannot be split with --held-out 0.2: both parts ")


def test_settings_check_themselves() -> None:
    with pytest.raises(InputError, match="--tile is 9 and must be 0"):
        Draft(tile=9)
    with pytest.raises(InputError, match="--decay is -1 and must be finite and not negative"):
        Draft(decay=-1)


def test_an_image_that_vanishes_is_named(parts: Path) -> None:
    import_tensorflow()
    from adtrain.source import open_source, survey
    from adtrain.training import split, train

    source = open_source(str(parts), size=None, mode=None)
    draft = Draft(filters=(4,), latent=4, epochs=2)
    training, held_out = split(survey(source).readable, draft)
    (parts / source.name(int(training[5]))).unlink()
    with pytest.raises(InputError) as raised:
        train(source, training, held_out, draft, "as_is")
    assert str(raised.value) == (
        f"{source.name(int(training[5]))}: cannot be read any more (No such file or directory); "
        "bring it back, or start again"
    )
