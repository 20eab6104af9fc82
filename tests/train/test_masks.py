"""Masks as people have them: how they are found, and what they mark."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from adscore.errors import ImageError, InputError
from adscore.images import decode
from adscore.spec import ImageSpec
from adtrain.labelled import labelled_files
from adtrain.localization import empty_masks
from adtrain.mask_image import read_mask
from adtrain.masks import pair
from tests.png16 import png16
from tests.tiff import GREY, GREY_WHITE_IS_ZERO, RGB, tiff
from tests.tiny import paint

MARKS = np.zeros((16, 24), bool)
MARKS[2:8, 8:24] = True  # along the blocks of a JPEG
SMALL = MARKS.astype(np.uint8)
ZEROS, FULL = SMALL * 0, SMALL * 0 + 255


def image(pixels: NDArray[Any], **options: Any) -> Callable[[Path], None]:
    """Returns what saves these pixels as the suffix says."""
    return lambda path: Image.fromarray(pixels).save(path, **options)


def content(data: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(data)

    return write


def palette(colours: list[int], **options: Any) -> Callable[[Path], None]:
    picture = Image.fromarray(SMALL).convert("P")
    picture.putpalette(colours)
    return lambda path: picture.save(path, **options)


WIDE = np.dstack([SMALL.astype(np.uint16)] * 3)
KINDS = {
    "grey.png": image(SMALL * 255),
    "ones.png": image(SMALL),
    "bit.png": image(MARKS),
    "sixteen.png": image(SMALL.astype(np.uint16) * 255),
    "thirty-two.tif": image(SMALL.astype(np.int32)),
    "float.tiff": image(SMALL.astype(np.float32)),
    "white-is-zero.tif": content(tiff(65535 - SMALL.astype(np.uint16), GREY_WHITE_IS_ZERO)),
    "grey-16.tif": content(tiff(SMALL.astype(np.uint16), GREY)),
    "red.png": image(np.dstack([SMALL * 200, ZEROS, ZEROS])),
    "colour-16.png": content(png16(WIDE)),
    "colour-16.tif": content(tiff(WIDE, RGB)),
    "colour-alpha-16.png": content(png16(np.dstack([WIDE * 255, WIDE[..., :1] * 0 + 65535]))),
    "alpha.png": image(np.dstack([ZEROS, ZEROS, ZEROS, SMALL * 255])),
    "grey-alpha.png": image(np.dstack([ZEROS, SMALL * 9])),
    "white-alpha.png": image(np.dstack([FULL, FULL, FULL, SMALL * 255])),
    "opaque.png": image(np.dstack([SMALL, ZEROS, ZEROS, FULL])),
    # A part on a transparent ground: black where it is sound.
    "part.png": image(np.dstack([SMALL * 255, np.where(np.arange(24) < 4, 0, 255).astype(np.uint8) + ZEROS])),
    "palette.png": palette([0, 0, 0, 128, 0, 0]),
    "palette.gif": palette([0, 0, 0, 0, 128, 0]),
    "see-through.png": palette([0, 0, 0, 9, 9, 9], transparency=0),
    "lossless.webp": image(np.dstack([SMALL] * 3), lossless=True),
    "lossy.webp": image(np.dstack([SMALL * 255] * 3), quality=60),
    "lossy.jpg": image(SMALL * 255, quality=60),
    "lossy.tif": image(SMALL * 255, compression="jpeg"),
    "upper.BMP": image(SMALL * 255),
    "map.pgm": image(SMALL),
}


@pytest.mark.parametrize("name", KINDS)
def test_whatever_is_above_zero_is_marked(tmp_path: Path, name: str) -> None:
    picture = paint(tmp_path / "picture.png", 9, size=(24, 16))
    KINDS[name](tmp_path / name)
    marks = read_mask(tmp_path / name, picture)
    # Noise of a lossy format may move an edge by a pixel, and nothing else.
    away = (marks != MARKS).mean() if name.startswith("lossy.") else (marks != MARKS).any()
    assert away < 0.05


@pytest.mark.parametrize(
    ("write", "cause"),
    [
        (content(b"no image"), "not an image in a known format"),
        (content(png16(WIDE)[:-30]), "damaged or truncated PNG"),
        (content(b""), "the file is empty"),
        (
            content(png16(np.dstack([WIDE[..., 0]] * 2))),
            "16 bits a channel, in colour or with alpha, of a kind that is not",
        ),
        (content(b"P6 24 16 65535\n" + bytes(24 * 16 * 6)), "16 bits a channel, in colour or with alpha, of a kind"),
        (content(tiff(np.zeros((16, 24)), 1)), "64-bit pixels have no known range; convert the image to 8 or 16 bits"),
        (image(np.zeros((16, 16), np.uint8)), "it is 16x16 and its picture 24x16"),
        (image(np.zeros((24, 16), np.uint8)), "it is 16x24 and its picture 24x16"),
    ],
)
def test_a_mask_that_cannot_be_used_is_named(tmp_path: Path, write: Callable[[Path], None], cause: str) -> None:
    picture = paint(tmp_path / "picture.png", 9, size=(24, 16))
    mask = tmp_path / "mask.png"
    write(mask)
    with pytest.raises(InputError, match="mask.png: the mask cannot be read \\(" + cause):
        read_mask(mask, picture)


def oriented(path: Path, pixels: NDArray[Any], orientation: int) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=exif)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_is_turned_as_its_picture(tmp_path: Path, orientation: int) -> None:
    """Whether it was painted over the upright picture, over what is stored, or carries the EXIF itself."""
    picture = oriented(tmp_path / "picture.png", SMALL, orientation)
    own = read_mask(oriented(tmp_path / "own.png", SMALL, orientation), picture)
    image(own)(tmp_path / "upright.png")
    assert (read_mask(tmp_path / "upright.png", picture) == own).all()
    assert (own == decode(picture, ImageSpec(own.shape[1], own.shape[0], "L"))[..., 0]).all()
    if orientation > 4:  # else nothing tells it from an upright one
        image(SMALL)(tmp_path / "stored.png")
        assert (read_mask(tmp_path / "stored.png", picture) == own).all()
        with pytest.raises(InputError, match="it is 24x16 and its picture 16x24"):
            read_mask(oriented(tmp_path / "other.png", SMALL, 3), picture)


def test_a_picture_that_cannot_be_read_is_no_fault_of_its_mask(tmp_path: Path) -> None:
    (tmp_path / "picture.png").touch()
    with pytest.raises(ImageError, match="^the file is empty"):
        read_mask(paint(tmp_path / "mask.png", 9), tmp_path / "picture.png")


@pytest.mark.parametrize(
    ("picture", "mask"),
    [
        ("test/dent/0.png", "ground_truth/dent/0_mask.png"),
        ("test/dent/0.JPG", "Ground Truth/Dent/0.PNG"),
        ("bottle/test/dent/0.png", "bottle/ground_truth/dent/0_gt.bmp"),
        ("Data/Images/Anomaly/000.JPG", "Data/Masks/Anomaly/000.png"),
        ("test/dent/0.png", "test/dent/0-label.tif"),
        ("test/dent/0.png", "test/dent/mask/0.png"),
        ("test/dent/0.png", "masks/0.png"),
        ("Train/0576.PNG", "Train/Label/0576_label.PNG"),
    ],
)
def test_masks_are_found_by_their_names(picture: str, mask: str) -> None:
    pairs = pair([picture, "test/dent/1.png"], ["test/good/0.png"], [mask])
    assert (pairs.mask_of, pairs.strays) == ({picture: mask}, ())


def test_masks_of_other_pictures_are_strays() -> None:
    masks = ["ground_truth/cut/0.png", "ground_truth/dent/9.png", "elsewhere/masks/0.png", "ground_truth/good/0.png"]
    pairs = pair(["test/dent/0.png"], ["test/good/0.png"], masks)
    assert (pairs.mask_of, pairs.strays) == ({}, tuple(masks[:3]))


def test_names_that_fit_twice_are_refused() -> None:
    with pytest.raises(InputError, match="^masks/0.png: is the mask of test/cut/0.png and of test/dent/0.png, by its"):
        pair(["test/cut/0.png", "test/dent/0.png"], [], ["masks/0.png"])
    with pytest.raises(
        InputError, match="^dent/0.png: has two masks, masks/dent/0.png and masks/dent/0_mask.png; remo"
    ):
        pair(["dent/0.png"], [], ["masks/dent/0.png", "masks/dent/0_mask.png"])


def test_masks_within_the_folder_and_beside_it(tmp_path: Path) -> None:
    for name in ("test/good/0.png", "test/dent/0.png", "test/dent/1.png", "ground_truth/dent/0_mask.png"):
        paint(tmp_path / name, 255)
    mask = tmp_path / "ground_truth" / "dent" / "0_mask.png"
    for data in (tmp_path, tmp_path / "test"):
        lines: list[str] = []
        files = labelled_files(str(data), notify=lines.append)
        assert {str(file.path.relative_to(tmp_path / "test")): file.mask for file in files} == {
            "dent/0.png": mask, "dent/1.png": None, "good/0.png": None,
        }  # fmt: skip
        assert lines == []
    # Another's masks may lie beside a folder that is called anything else.
    (tmp_path / "test").rename(tmp_path / "parts")
    assert not any(file.mask for file in labelled_files(str(tmp_path / "parts")))
    (tmp_path / "parts").rename(tmp_path / "test")
    paint(tmp_path / "ground_truth" / "dent" / "7_mask.png", 255)
    labelled_files(str(tmp_path), notify=lines.append)
    assert lines == [f"{tmp_path}: masks of no picture, 1 in all: ground_truth/dent/7_mask.png"]


@pytest.mark.parametrize("name", ["ground_truth/cut/0_mask.png", "ground_truth/dent/0.npy"])
def test_masks_that_cannot_be_used_are_said(tmp_path: Path, name: str) -> None:
    for picture in ("test/good/0.png", "test/dent/0.png"):
        paint(tmp_path / picture, 255)
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(b"")
    lines: list[str] = []
    assert [file.mask for file in labelled_files(str(tmp_path), notify=lines.append)] == [None, None]
    assert len(lines) == 1
    assert "belongs to an anomaly, so there is no pixel AUROC; a mask is an image with the name of its" in lines[0]


def test_masks_that_mark_nothing_are_found(tmp_path: Path) -> None:
    for name, grey in {"good/0": 9, "dent/0": 9, "dent/1": 9, "dent/2": 9}.items():
        paint(tmp_path / "test" / f"{name}.png", grey)
    for index, grey in enumerate((0, 1, 0)):
        paint(tmp_path / "ground_truth" / "dent" / f"{index}_mask.png", grey)
    (tmp_path / "test" / "dent" / "2.png").write_bytes(b"")
    files = labelled_files(str(tmp_path))
    assert [file.path.stem for file in empty_masks(files)] == ["0"]
