"""Whether pictures need even light, told from the pictures, and a training under it with the real commands."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from adtrain.quiet import import_tensorflow
from tests.conftest import Run

pytestmark = pytest.mark.slow

SMALL = ["--filters", "4,8", "--latent", "4", "--epochs", "2", "--views", "2"]


def parts(number: int = 40, *, height: int = 64, width: int = 96) -> NDArray[np.float64]:
    """Returns grey pictures of parts in the same light: texture and a bright bar, (number, height, width)."""
    random = np.random.default_rng(0)
    pictures = random.uniform(120, 170, (number, height, width))
    for picture in pictures:
        column = int(random.integers(10, width - 20))
        picture[:, column : column + 6] += 60
    return pictures


def exposures(number: int) -> NDArray[np.float64]:
    return np.random.default_rng(1).uniform(0.4, 1.0, (number, 1, 1))


def gradients(number: int, *, height: int = 64, width: int = 96) -> NDArray[np.float64]:
    """Returns light that falls from 1 to 0.4 in random directions, (number, height, width)."""
    angles = np.random.default_rng(2).uniform(0, 2 * np.pi, (number, 1, 1))
    down, across = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    along = np.cos(angles) * across + np.sin(angles) * down
    light: NDArray[np.float64] = 0.7 + 0.3 * along / np.abs(along).max(axis=(1, 2), keepdims=True)
    return light


def write(pictures: NDArray[np.float64], folder: Path) -> Path:
    folder.mkdir()
    for index, picture in enumerate(np.rint(pictures).astype(np.uint8)):
        Image.fromarray(picture).save(folder / f"{index:03}.png")
    return folder


def chosen(data: str | None) -> str:
    import_tensorflow()
    from adtrain.light import choose_light
    from adtrain.source import open_source

    source = open_source(data, size=None, mode=None)
    return choose_light(source, np.arange(len(source)))


def test_the_demo_set_stays_as_it_is() -> None:
    assert chosen(None) == "as_is"


def test_objects_on_black_stay_as_they_are_in_any_light(tmp_path: Path) -> None:
    pictures = np.zeros((40, 64, 96))
    pictures[:, 16:48, 24:72] = parts()[:, 16:48, 24:72]
    assert chosen(str(write(pictures * gradients(40), tmp_path / "dark"))) == "as_is"


def test_parts_in_the_same_light_stay_as_they_are_whatever_the_exposure(tmp_path: Path) -> None:
    assert chosen(str(write(parts(), tmp_path / "same"))) == "as_is"
    assert chosen(str(write(parts() * exposures(40), tmp_path / "exposed"))) == "as_is"
    assert chosen(str(write(parts() * gradients(1), tmp_path / "one_gradient"))) == "as_is"


@pytest.mark.parametrize("brightness", [0.3, 1.0])
def test_parts_in_light_that_varies_need_even_light_however_bright_it_is(tmp_path: Path, brightness: float) -> None:
    assert chosen(str(write(parts() * gradients(40) * brightness, tmp_path / "varied"))) == "even"


def test_even_pictures_all_alike_have_no_light_that_varies(tmp_path: Path) -> None:
    assert chosen(str(write(np.full((5, 64, 96), 128.0), tmp_path / "grey"))) == "as_is"


def test_the_network_learns_what_the_detector_will_show_it(tmp_path: Path) -> None:
    import_tensorflow()
    from adexport.graph import scale
    from adexport.light import light_of, under_even_light
    from adtrain.light import in_light
    from adtrain.source import open_source

    source = open_source(str(write(parts(3) * gradients(3), tmp_path / "varied")), size=None, mode=None)
    assert in_light(source, "as_is") is source
    seen = in_light(source, "even")
    assert (len(seen), seen.spec, seen.name(2)) == (3, source.spec, "002.png")
    for index in range(3):
        pixels = source.read(index)[np.newaxis]
        expected = under_even_light(scale(pixels), light_of(pixels)).numpy()[0]
        assert np.abs(seen.read(index) / 255 - expected).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("size", ["96x64", "32x32"])
def test_a_training_under_even_light_exports_with_parity(run: Run, tmp_path: Path, size: str) -> None:
    """In tiles, and as whole pictures; in float and in int8."""
    varied = write(parts() * gradients(40), tmp_path / "varied")
    done = run("adtrain", "fit", varied, "--out", "run", "--size", size, *SMALL)
    assert done.returncode == 0, done.stderr
    tiles = " in tiles of 32" if size == "96x64" else ""
    assert done.stderr.splitlines()[1] == (
        f"{varied}: 32 images to train on, 8 held out, {size} L{tiles}, brought under even light"
    )
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["training"]["settings"]["light"], record["scoring"]["light"]) == ("even", "even")
    for more, out in (([], "detector.onnx"), (["--int8", "--allow-degraded"], "int8.onnx")):
        exported = run("adtrain", "export", "run", "--out", out, *more)
        assert exported.returncode == 0, exported.stderr
        spec = json.loads(run("adscore", "--info", "--json", "--model", out).stdout)
        assert spec["training"]["settings"]["light"] == "even"
        assert spec["parity"]["label_agreement"] == 1.0 or more
        assert run("adscore", "varied", "--model", out, "--out", "results.csv").returncode == 0


def test_light_is_as_asked_for_and_old_runs_can_be_read(run: Run, tmp_path: Path) -> None:
    varied = write(parts() * gradients(40), tmp_path / "varied")
    assert run("adtrain", "fit", varied, "--out", "run", "--light", "as_is", *SMALL).returncode == 0
    place = tmp_path / "run" / "run.json"
    record = json.loads(place.read_text())
    assert (record["training"]["settings"].pop("light"), record["scoring"].pop("light")) == ("as_is", "as_is")
    place.write_text(json.dumps(record))
    exported = run("adtrain", "export", "run", "--out", "detector.onnx")
    assert exported.returncode == 0, exported.stderr


def test_a_light_that_is_not_known_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("adtrain", "fit", tmp_path, "--light", "flat")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == ("Error: Invalid value for '--light': 'flat' is not one of 'as_is', 'even'.")
