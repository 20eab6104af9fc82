import io
from pathlib import Path

import pytest

from adscore.errors import InputError
from adscore.inputs import find_images


def names(*inputs: str) -> list[str]:
    return [image.name for image in find_images(inputs)]


def touch(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def test_folder_is_searched_to_the_bottom_and_sorted_by_whole_name(tmp_path: Path) -> None:
    paths = ["b.png", "a/z.JPG", "a-b/1.tiff", "a.png", "a/b/c/1.webp", "a/a.bmp", "Z.gif"]
    touch(tmp_path, *paths, "notes.txt", "a/labels.csv", "png")
    found = names(str(tmp_path))
    assert found == sorted(paths)
    assert [image.location for image in find_images([str(tmp_path)])] == [str(tmp_path / name) for name in found]


def test_several_inputs_keep_their_order_and_their_names_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "new/1.png", "new/2.png", "old/1.png", "single.dat")
    assert names("old", "./new/", "single.dat") == ["old/1.png", "new/1.png", "new/2.png", "single.dat"]


def test_linked_folders_are_followed_and_loops_are_not(tmp_path: Path) -> None:
    touch(tmp_path, "parts/1.png", "elsewhere/2.png")
    (tmp_path / "parts" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "parts" / "loop").symlink_to(tmp_path / "parts")
    assert names(str(tmp_path / "parts")) == ["1.png", "linked/2.png"]


def test_a_folder_is_searched_where_it_is_and_through_the_first_link_to_it(tmp_path: Path) -> None:
    touch(tmp_path, "parts/m/1.png", "elsewhere/2.png")
    for link, folder in (("a", "parts/m"), ("z", "parts/m"), ("b", "elsewhere"), ("c", "elsewhere")):
        (tmp_path / "parts" / link).symlink_to(tmp_path / folder)
    assert names(str(tmp_path / "parts")) == ["a/1.png", "b/2.png", "m/1.png"]


def test_folders_that_are_all_linked_to_each_other_do_not_multiply(tmp_path: Path) -> None:
    touch(tmp_path, "12/1.png")
    for folder in range(10, 30):
        (tmp_path / str(folder)).mkdir(exist_ok=True)
        for other in range(10, 30):
            (tmp_path / str(folder) / f"to-{other}").symlink_to(tmp_path / str(other))
    assert names(str(tmp_path)) == ["10/to-11/to-12/1.png", "12/1.png"]


def test_broken_links_are_images_that_cannot_be_read(tmp_path: Path) -> None:
    touch(tmp_path, "1.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "nowhere.png").symlink_to("gone.png")
    assert names(str(tmp_path)) == ["1.png", "loop.png", "nowhere.png"]


def test_list_on_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("b.png\r\n\nfolder/a.png\ngone.png"))
    assert names("-") == ["b.png", "folder/a.png", "gone.png"]


def test_missing_input_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone: no such file or folder; name images, a folder of images, or - for"):
        touch(tmp_path, "1.png")
        find_images([str(tmp_path), str(tmp_path / "gone")])


def test_folder_without_images_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a/notes.txt")
    with pytest.raises(InputError, match=r"no images in this folder; looked to the bottom of it for \.bmp, \.gif"):
        find_images([str(tmp_path)])
