"""Whatever may lie where an image should: each is an ImageError with a short cause, and nothing waits or grows."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from adscore.files import read_regular
from adscore.images import Limits, decode, read_header
from adscore.spec import ImageSpec
from tests.causes import cause
from tests.tiny import paint

GREY = ImageSpec(2, 2, "L")

root_only = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="takes root")


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty.png").touch()
    (tmp_path / "dangling.png").symlink_to("gone.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.png"))
    assert cause(tmp_path / "folder.png") == "Is a directory"
    assert cause(tmp_path / "empty.png") == "the file is empty"
    assert cause(tmp_path / "dangling.png") == "No such file or directory"
    assert cause(tmp_path / "loop.png") == "Too many levels of symbolic links"
    assert cause(tmp_path / "pipe.png") == "not a regular file"
    assert cause(tmp_path / "socket.png") == "No such device or address"
    assert cause("/dev/zero") == "not a regular file"
    assert cause(tmp_path / "empty.png" / "below.png") == "Not a directory"
    assert cause(tmp_path / f"{'x' * 300}.png") == "File name too long"
    assert cause("nul\0.png") == "embedded null byte"


def test_a_link_to_an_image_is_that_image(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to(paint(tmp_path / "a.png", 9))
    assert decode(tmp_path / "link.png", GREY)[0, 0, 0] == 9


@root_only
def test_a_file_without_permission(tmp_path: Path) -> None:
    paint(tmp_path / "secret.png", 9).chmod(0)
    os.seteuid(65534)
    try:
        assert cause(tmp_path / "secret.png") == "Permission denied"
    finally:
        os.seteuid(0)


@root_only
def test_a_device_is_refused_unread(tmp_path: Path) -> None:
    os.mknod(tmp_path / "zero.png", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    assert cause(tmp_path / "zero.png") == "not a regular file"


def test_more_bytes_or_pixels_than_allowed_are_refused(tmp_path: Path) -> None:
    path = paint(tmp_path / "a.png", 9, size=(20, 10))
    size = path.stat().st_size
    assert cause(path, Limits(bytes=size - 1)) == f"{size} bytes are more than the {size - 1} allowed"
    assert cause(path, Limits(pixels=199)) == "20x10 pixels are more than the 199 allowed"
    assert decode(path, GREY, Limits(200, size)).shape == (2, 2, 1)
    for wrong in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="must be at least 1"):
            Limits(*wrong)


def test_a_file_is_read_as_a_whole_up_to_a_size(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10 + b"y" * 1000)
    assert read_regular(tmp_path / "a", 1010) == b"x" * 10 + b"y" * 1000
    with pytest.raises(OSError, match="1,010 bytes are more than the 100 allowed"):
        read_regular(tmp_path / "a", 100)


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    paint(tmp_path / "a.png", 9)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("pipe.png", ".", "gone.png"):
        cause(tmp_path / name)
    decode(tmp_path / "a.png", GREY)
    read_header(tmp_path / "a.png")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    Image.new("1", (40_000, 4_000)).save(tmp_path / "bomb.png")  # 160 million pixels in 20 kB
    assert (tmp_path / "bomb.png").stat().st_size < 50_000
    program = (
        "import resource, sys; from adscore.images import ImageError, ImageSpec, decode\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    decode(sys.argv[1], ImageSpec(8, 8, 'L'))\nexcept ImageError as error:\n    print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    call = [sys.executable, "-W", "ignore", "-c", program, str(tmp_path / "bomb.png")]
    text, kilobytes = subprocess.run(call, capture_output=True, text=True, check=True).stdout.splitlines()
    assert text == "40000x4000 pixels are more than the 89478485 allowed"
    assert int(kilobytes) < 20_000  # 160 MB if it were decoded


def test_a_file_that_would_take_more_memory_than_there_is(tmp_path: Path) -> None:
    Image.new("L", (8_000, 8_000)).save(tmp_path / "large.png")
    program = (
        "import resource, sys; from adscore.images import *; import PIL.PngImagePlugin\n"
        "taken = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (taken + 2**25, resource.RLIM_INFINITY))\n"
        "try:\n    decode(sys.argv[1], ImageSpec(8, 8, 'RGB'))\nexcept ImageError as error:\n    print(error)"
    )
    call = [sys.executable, "-c", program, str(tmp_path / "large.png")]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "not enough memory to decode it\n"
