"""Training on pictures of 10 to 14 bits in 16-bit files: the bits are those of the whole set, said, kept and used."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from adscore.detector import Detector
from adscore.errors import InputError
from adscore.spec import Pictures
from adtrain.originals import in_bits
from adtrain.source import FileSource, open_source
from tests.conftest import Run
from tests.tiff import RGB, tiff
from tests.tiny import paint


def write(folder: Path, name: str, samples: NDArray[np.uint16]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(samples).save(folder / name)


def flat(folder: Path, **largest: int) -> Path:
    for name, value in largest.items():
        write(folder, f"{name}.png", np.array([[value, 1]], np.uint16))
    return folder


def opened(folder: Path, *, bits: int | None = None) -> FileSource:
    source = open_source(str(folder), size=None, mode=None, bits=bits)
    assert isinstance(source, FileSource)
    return source


@pytest.mark.parametrize(
    ("largest", "bits"),
    [(255, 8), (256, 10), (1023, 10), (1024, 12), (4095, 12), (4096, 14), (16383, 14), (16384, 16), (65535, 16)],
)
def test_the_set_as_a_whole_decides_the_bits(tmp_path: Path, largest: int, bits: int) -> None:
    source = opened(flat(tmp_path, a=3, b=largest, c=7))
    assert (source.spec.sixteen_bit, source.spec.bits) == ("bits", bits)
    assert source.pictures == Pictures((2, 2), (1, 1), (2.0, 2.0), ("L",), (16,), largest)


def test_twelve_bits_shifted_to_the_left_are_sixteen(tmp_path: Path) -> None:
    write(tmp_path, "a.png", np.array([[0xFF0, 0x5DC0]], np.uint16))
    assert opened(tmp_path).spec.bits == 16


def test_eight_bit_pictures_have_no_say(tmp_path: Path) -> None:
    paint(tmp_path / "b.png", 255)
    assert opened(tmp_path).spec.bits == 16
    assert opened(tmp_path).pictures.largest_sample is None
    flat(tmp_path, a=1000)
    source = opened(tmp_path)
    assert (source.spec.bits, source.pictures.depths) == (10, (8, 16))
    assert [source.read(index).max() for index in range(2)] == [1000 >> 2, 255]


def test_bits_that_are_given_go_before_those_found(tmp_path: Path) -> None:
    assert opened(flat(tmp_path, a=1000), bits=14).spec.bits == 14


def test_a_picture_whose_bits_cannot_be_seen_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(np.ones((2, 2, 4), np.uint16), RGB, extra=1))
    with pytest.raises(
        InputError, match="^a.tif: 16-bit colour of this kind is read with all its 16 bits only; .*, or"
    ):
        opened(tmp_path)
    assert opened(tmp_path, bits=16).spec.bits == 16


@pytest.mark.slow
def test_a_faint_scratch_in_twelve_bits_is_seen(run: Run, tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    for number in range(40):
        samples = random.normal(1500, 40, (32, 32))
        if number >= 34:
            samples[14:18, 5:27] *= 0.93
        kind = "good" if number < 30 else "test/good" if number < 34 else "test/scratch"
        write(tmp_path / kind, f"{number}.png", samples.astype(np.uint16))
    # A network that has hardly learnt more than the mean brightness; what is left of a picture is noise and scratch.
    small = ["--epochs", "1", "--views", "4", "--filters", "4", "--score", "max", "--blur", "2"]
    done = run("adtrain", "fit", "good", "--out", "run", "--no-robust", "--no-repair", *small)
    assert done.returncode == 0, done.stderr
    largest = max(int(np.asarray(Image.open(path)).max()) for path in (tmp_path / "good").iterdir())
    assert done.stderr.splitlines()[1] == (
        "good: 24 images to train on, 6 held out, 32x32 L, 16-bit images read as 12 bits "
        f"(their largest value is {largest}; --bits sets others)"
    )
    assert run("adtrain", "export", "run", "--out", "detector.onnx").returncode == 0
    detector = Detector(tmp_path / "detector.onnx")
    assert (detector.spec.image.sixteen_bit, detector.spec.image.bits) == ("bits", 12)
    assert detector.spec.training.pictures == Pictures((32, 32), (32, 32), (1.0, 1.0), ("L",), (16,), largest)
    good, scratched = (
        [row.score or 0.0 for row in detector.predict(sorted((tmp_path / "test" / kind).iterdir()))]
        for kind in ("good", "scratch")
    )
    assert min(scratched) > max(good)
    assert "the largest of 16-bit values" in run("adscore", "--info").stdout


def test_what_is_cut_off_by_bits_that_are_given_is_said(tmp_path: Path) -> None:
    pictures = opened(flat(tmp_path, a=1000)).pictures
    assert in_bits(pictures, 10) == ", 16-bit images read as 10 bits (their largest value is 1000; --bits sets others)"
    assert in_bits(pictures, 9).endswith(
        "9 bits (their largest value is 1000 and is cut off at 511; --bits sets others)"
    )
