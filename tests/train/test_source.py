from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adscore.errors import ImageError, InputError
from adtrain.labelled import labelled_files
from adtrain.selection import Selection
from adtrain.source import ArraySource, FileSource, KeptSource, open_source, read_batches, reopen_source, survey
from tests.tiny import paint, paint_parts
from tests.train.sets import labelled, npz

pytestmark = pytest.mark.slow  # model.py, which knows the sizes that fit, loads Keras


def test_folder_is_decoded_at_its_own_size_and_mode(tmp_path: Path) -> None:
    source = open_source(str(paint_parts(tmp_path / "parts", 5)), size=None, mode=None)
    assert isinstance(source, FileSource)
    assert (len(source), source.spec.shape) == (5, (8, 8, 1))
    assert source.name(3) == "003.png"
    assert (source.read(3)[..., 0] == np.asarray(Image.open(tmp_path / "parts" / "003.png"))).all()


def test_mixed_sizes_take_the_median_of_all(tmp_path: Path) -> None:
    folder = paint_parts(tmp_path, 3)
    for index in range(4):
        paint(folder / f"z{index}.png", 9, size=(16, 12))
    spec = open_source(str(folder), size=None, mode=None).spec
    assert (spec.width, spec.height) == (16, 12)


def test_one_colour_image_makes_the_set_colour(tmp_path: Path) -> None:
    folder = paint_parts(tmp_path, 3)
    Image.new("RGB", (8, 8)).save(folder / "999.png")
    assert open_source(str(folder), size=None, mode=None).spec.mode == "RGB"
    assert open_source(str(folder), size=None, mode="L").spec.mode == "L"


def test_the_same_images_are_taken_again(tmp_path: Path) -> None:
    paint_parts(tmp_path / "Train" / "Good", 4)
    paint_parts(tmp_path / "test" / "scratch", 2, size=(16, 16))
    told: list[str] = []
    source = open_source(str(tmp_path), size=None, mode=None, notify=told.append)
    assert told == [
        f"{tmp_path}: takes as normal 4 images in Train/Good", f"{tmp_path}: leaves out 2 test images in test/scratch",
    ]  # fmt: skip
    assert [source.name(index) for index in range(4)] == [f"Train/Good/{index:03}.png" for index in range(4)]
    selection = Selection(normal=("test/scratch",))
    chosen = open_source(str(tmp_path), size=None, mode=None, selection=selection)
    assert (len(chosen), chosen.spec.width) == (2, 16)
    again = reopen_source(str(tmp_path), chosen.spec, selection)
    assert survey(again).fingerprint == survey(chosen).fingerprint


def test_what_is_passed_over_is_said(tmp_path: Path) -> None:
    parts = paint_parts(tmp_path / "parts", 3)
    (parts / "0.heic").write_bytes(b"\0")
    paint(parts / "._000.png", 9)
    said: list[str] = []
    assert len(open_source(str(parts), size=None, mode=None, notify=said.append)) == 3
    assert said == [
        "passed over, hidden or of the system: 1 (--hidden takes them)",
        "passed over, pictures of kinds that are not read: 1 .heic (convert them, to PNG say)",
        f"{parts}: takes as normal all 3 images",
    ]
    said.clear()
    assert len(open_source(str(parts), size=None, mode=None, selection=Selection(hidden=True), notify=said.append)) == 4
    assert len(said) == 2


def test_what_is_passed_over_is_said_before_a_refusal(tmp_path: Path) -> None:
    for name in (".good/0.png", "bad/1.png"):
        paint(tmp_path / name, 9)
    said: list[str] = []
    with pytest.raises(InputError, match="holds no images to train on"):
        open_source(str(tmp_path), size=None, mode=None, notify=said.append)
    assert said == ["passed over, hidden or of the system: 1 (--hidden takes them)"]


def test_hidden_folders_are_no_kinds_of_defect(tmp_path: Path) -> None:
    for name in ("good/0.png", "dent/1.png", ".ipynb_checkpoints/2.png"):
        paint(tmp_path / "test" / name, 9)
    said: list[str] = []
    assert [file.kind for file in labelled_files(str(tmp_path), notify=said.append)] == ["dent", "good"]
    assert said == ["passed over, hidden or of the system: 1 (--hidden takes them)"]
    assert len(labelled_files(str(tmp_path), hidden=True)) == 3


def test_sizes_move_to_what_fits(tmp_path: Path) -> None:
    paint_parts(tmp_path, 2, size=(25, 30))
    spec = open_source(str(tmp_path), size=None, mode=None, fit_size=lambda width, height: (width - 1, height + 2)).spec
    assert (spec.width, spec.height) == (24, 32)
    spec = open_source(str(tmp_path), size=(12, 8), mode=None, fit_size=lambda width, height: (width, height)).spec
    assert (spec.width, spec.height) == (12, 8)


def test_images_are_kept_as_long_as_there_is_room(tmp_path: Path) -> None:
    source = open_source(str(paint_parts(tmp_path, 4)), size=None, mode=None)
    kept = KeptSource(source, room=2 * 8 * 8)
    images = [kept.read(index) for index in range(4)]
    for index in range(4):
        (tmp_path / source.name(index)).unlink()
    assert all((kept.read(index) == images[index]).all() for index in range(2))
    with pytest.raises(ImageError):
        kept.read(2)


def test_arrays_are_prepared_as_files_are(tmp_path: Path) -> None:
    images, _ = labelled()
    folder = tmp_path / "files"
    folder.mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index:03}.png")
    for size in ((8, 8), (4, 12)):
        arrays = open_source(str(npz(tmp_path / "set.npz")), size=size, mode=None)
        files = open_source(str(folder), size=size, mode=None)
        assert isinstance(arrays, ArraySource)
        assert survey(arrays).fingerprint == survey(files).fingerprint


def test_survey_names_what_cannot_be_read_and_leaves_it_out(tmp_path: Path) -> None:
    paint_parts(tmp_path, 4)
    before = survey(open_source(str(tmp_path), size=None, mode=None))
    (tmp_path / "001x.png").write_bytes(b"no image")
    source = open_source(str(tmp_path), size=None, mode=None)
    found = survey(source)
    assert found.readable.tolist() == [0, 1, 3, 4]
    assert [fault.partition(" (")[0] for fault in found.faults] == ["001x.png: not an image in a known format"]
    assert found.fingerprint == before.fingerprint
    assert [len(batch) for batch in read_batches(source, found.readable.repeat(20)[:70])] == [64, 6]


def test_fingerprint_sees_every_pixel(tmp_path: Path) -> None:
    paint_parts(tmp_path, 4)
    before = survey(open_source(str(tmp_path), size=None, mode=None)).fingerprint
    pixels = np.asarray(Image.open(tmp_path / "002.png")).copy()
    pixels[5, 5] ^= 1
    Image.fromarray(pixels).save(tmp_path / "002.png")
    assert survey(open_source(str(tmp_path), size=None, mode=None)).fingerprint != before


def test_without_data_it_is_the_bundled_set() -> None:
    assert len(open_source(None, size=None, mode=None)) == 6809


def test_missing_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone: no such file or folder; give a folder of images, a .npz, or an IDX"):
        open_source(str(tmp_path / "gone"), size=None, mode=None)
