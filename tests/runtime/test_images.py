import os
import struct
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from adscore.errors import ImageError
from adscore.images import decode, read_header
from adscore.spec import ImageSpec, Mode

GREY = ImageSpec(2, 2, "L")
COLOUR = ImageSpec(2, 2, "RGB")

# ITU-R 601 luma of (200, 100, 50), as Pillow rounds it.
LUMA = (200 * 19595 + 100 * 38470 + 50 * 7471 + 0x8000) >> 16


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mode", "colour", "grey", "rgb"),
    [
        ("1", 1, 255, (255, 255, 255)),
        ("L", 77, 77, (77, 77, 77)),
        ("LA", (77, 0), 77, (77, 77, 77)),
        ("RGB", (200, 100, 50), LUMA, (200, 100, 50)),
        ("RGBA", (200, 100, 50, 0), LUMA, (200, 100, 50)),
    ],
)
def test_every_mode_becomes_the_specs(mode: str, colour: object, grey: int, rgb: tuple[int, int, int]) -> None:
    content = encoded(Image.new(mode, (2, 2), colour))  # type: ignore[arg-type]
    assert decode(content, GREY).tolist() == [[[grey]] * 2] * 2
    assert decode(content, COLOUR).tolist() == [[list(rgb)] * 2] * 2


def test_palette_with_transparency_gives_the_stored_colours() -> None:
    image = Image.new("P", (2, 2), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    content = encoded(image, transparency=1)
    assert decode(content, COLOUR)[0, 0].tolist() == [200, 100, 50]
    assert decode(content, GREY)[0, 0].tolist() == [LUMA]


def test_cmyk_becomes_rgb() -> None:
    content = encoded(Image.new("CMYK", (2, 2), (0, 255, 255, 0)), "TIFF")
    assert decode(content, COLOUR)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_keep_their_high_byte_whatever_range_they_use(kind: str) -> None:
    image = Image.fromarray(np.array([[0x00FF, 0x0100], [0x7FFF, 0xFFFF]], np.uint16))
    assert decode(encoded(image, kind), GREY)[..., 0].tolist() == [[0, 1], [127, 255]]


def test_pixels_of_unknown_range_are_refused() -> None:
    content = encoded(Image.new("F", (2, 2), 0.5), "TIFF")
    with pytest.raises(ImageError, match="32-bit pixels have no known range; convert the image to 8 or 16 bits"):
        decode(content, GREY)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_every_orientation_is_turned_upright(orientation: int, kind: str) -> None:
    upright = np.arange(0, 240, 40, dtype=np.uint8).reshape(2, 3)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: np.rot90(upright, 2).T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif, **options)
    assert decode(content, ImageSpec(3, 2, "L"))[..., 0].tolist() == upright.tolist()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_header_tells_the_size_that_decoding_finds(tmp_path: Path, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (6, 4)).save(tmp_path / "image", kind, exif=exif)
    size = (6, 4) if orientation < 5 else (4, 6)
    assert read_header(tmp_path / "image")[:3] == (*size, "RGB")


def test_header_tells_grey(tmp_path: Path) -> None:
    Image.new("LA", (6, 4)).save(tmp_path / "grey.png")
    assert read_header(tmp_path / "grey.png")[:3] == (6, 4, "L")


def test_resampling_is_a_triangle_as_wide_as_the_reduction() -> None:
    image = Image.fromarray(np.array([[0, 0, 255, 0, 0, 0, 0, 0]], np.uint8))
    # Halved: weights 1/8, 3/8, 3/8, 1/8 about each new pixel, cut and normed at the edges.
    assert decode(encoded(image), ImageSpec(4, 1, "L"))[0, :, 0].tolist() == [36, 96, 0, 0]


def test_broken_exif_leaves_the_picture_as_it_lies() -> None:
    content = encoded(Image.new("L", (2, 2), 9), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert decode(content, GREY)[..., 0].tolist() == [[9, 9], [9, 9]]


def test_reduction_averages_and_never_skips_pixels() -> None:
    image = Image.fromarray(np.tile(np.array([[0, 255]], np.uint8), (64, 32)))
    assert np.abs(decode(encoded(image), GREY).astype(int) - 128).max() <= 2


def test_first_frame_counts() -> None:
    frames = [Image.new("L", (2, 2), grey) for grey in (10, 200)]
    content = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert decode(content, GREY)[0, 0, 0] == 10


def claiming(width: int, height: int) -> bytes:
    """Returns a PNG whose header claims this size, whatever its pixels."""
    content = encoded(Image.new("L", (1, 1)))
    header = b"IHDR" + struct.pack(">II", width, height) + content[24:29]
    return content[:12] + header + struct.pack(">I", crc32(header)) + content[33:]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "not an image in a known format"),
        (b"no image", "not an image in a known format"),
        (encoded(Image.effect_noise((64, 64), 90))[:600], "truncated"),
        (encoded(Image.effect_noise((64, 64), 90), "JPEG")[:700], "truncated"),
        (claiming(40_000, 40_000), "1600000000 pixels"),
        (encoded(Image.new("RGB", (2, 2)), "ICO"), "not an image in a known format"),
    ],
    ids=["empty", "text", "cut PNG", "cut JPEG", "bomb", "format not allowed"],
)
def test_what_cannot_be_decoded_is_an_image_error(content: bytes, cause: str) -> None:
    with pytest.raises(ImageError, match=cause):
        decode(content, GREY)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_size_limit_is_ours_and_named() -> None:
    with pytest.raises(ImageError, match="9000x10000 pixels are more than the 89478485 allowed"):
        decode(claiming(9_000, 10_000), GREY)


def test_causes_do_not_repeat_the_path(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="^No such file or directory$"):
        decode(tmp_path / "gone.png", GREY)
    with pytest.raises(ImageError, match="^Is a directory$"):
        decode(tmp_path, GREY)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="^not a regular file$"):
        decode(tmp_path / "pipe.png", GREY)


def speckled(width: int, height: int, kind: str = "JPEG", **options: object) -> bytes:
    """Returns coloured noise upon a ramp from left to right."""
    noise = [Image.effect_noise((width, height), 60) for _ in range(3)]
    ramp = Image.linear_gradient("L").rotate(90).resize((width, height))
    return encoded(Image.merge("RGB", [Image.blend(ramp, layer, 0.3) for layer in noise]), kind, **options)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(
    ("size", "reduced"), [((63, 64), False), ((64, 64), True), ((64, 63), False), ((511, 400), True)]
)
def test_a_jpeg_is_reduced_where_twice_the_input_is_left(mode: Mode, size: tuple[int, int], reduced: bool) -> None:
    content = speckled(*size, quality=95)
    full = decode(content, ImageSpec(16, 16, mode)).astype(int)
    difference = np.abs(decode(content, ImageSpec(16, 16, mode, jpeg="reduced")) - full)
    # Grey differs in the rounding of luma even where nothing is reduced.
    assert difference.max() <= (12 if reduced else 1 if mode == "L" else 0)
    assert difference.any() or not reduced


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_jpeg_is_turned_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = speckled(320, 80, exif=exif.tobytes())
    spec = ImageSpec(80, 20, "L") if orientation < 5 else ImageSpec(20, 80, "L")
    reduced = decode(content, replace(spec, jpeg="reduced")).astype(int)
    assert np.abs(reduced - decode(content, spec)).max() <= 12


def test_other_formats_know_nothing_of_the_rule_for_jpeg() -> None:
    content = speckled(320, 80, "PNG")
    spec = ImageSpec(16, 16, "RGB")
    np.testing.assert_array_equal(decode(content, replace(spec, jpeg="reduced")), decode(content, spec))
