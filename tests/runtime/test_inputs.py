import codecs
import io
import os
from pathlib import Path

import pytest

from adscore.errors import InputError
from adscore.inputs import Inputs
from adscore.listed import listed_paths
from adscore.sieve import SUFFIXES


def names(*inputs: str) -> list[str]:
    return [image.name for image in Inputs(inputs)]


def touch(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def test_folder_is_searched_to_the_bottom_and_sorted_by_whole_name(tmp_path: Path) -> None:
    paths = ["b.png", "a/z.JPG", "a-b/1.tiff", "a.png", "a/b/c/1.webp", "a/a.bmp", "Z.gif"]
    touch(tmp_path, *paths, "notes.txt", "a/labels.csv", "png")
    found = names(str(tmp_path))
    assert found == sorted(paths)
    assert [image.location for image in Inputs([str(tmp_path)])] == [str(tmp_path / name) for name in found]


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


def on_stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), "utf-8"))


def test_list_on_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    on_stdin(monkeypatch, b"b.png\r\n\n\r\nfolder/a.png\ngone.png")
    assert names("-") == ["b.png", "folder/a.png", "gone.png"]


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")],
)
def test_a_list_may_begin_with_a_mark_of_its_encoding(
    monkeypatch: pytest.MonkeyPatch, mark: bytes, encoding: str
) -> None:
    paths = ["ä.png", "line\u2028separator.png", "lot/\u0a0a 😀.png"]  # the third has a byte like a line feed in UTF-16
    on_stdin(monkeypatch, mark + "\r\n".join(["", *paths, ""]).encode(encoding))
    assert names("-") == paths
    on_stdin(monkeypatch, mark)
    assert names("-") == []


@pytest.mark.parametrize("first", [b"\xef\xbb", b"\xef", b"\xff", b"\xfe", "\uff41".encode(), b"n"])
def test_what_only_looks_like_a_mark_is_part_of_a_name(monkeypatch: pytest.MonkeyPatch, first: bytes) -> None:
    on_stdin(monkeypatch, first + b"\nb.png\n")
    assert [os.fsencode(image.location) for image in Inputs(["-"])] == [first, b"b.png"]


def test_a_list_that_is_no_utf_16_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    on_stdin(monkeypatch, codecs.BOM_UTF16_LE + "a.png\n".encode("utf-16-le") + b"b")
    with pytest.raises(InputError, match=r"the list on stdin begins as UTF-16 and is not \(.+\); write it in UTF-8"):
        names("-")


@pytest.mark.parametrize(
    "content",
    [
        "a.png\nb.png\n".encode("utf-16-le"),
        "a.png\n".encode("utf-16-be"),
        "a.png\n".encode("utf-32"),
        b"a.png\0b.png\0",
    ],
)
def test_a_list_with_a_nul_in_its_first_line_is_refused(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    on_stdin(monkeypatch, content)
    with pytest.raises(InputError, match="the list on stdin has a NUL in its first line; write one path a line"):
        names("-")


def test_no_line_waits_for_the_next() -> None:
    inside, outside = os.pipe()
    with os.fdopen(inside, encoding="utf-8") as stdin, os.fdopen(outside, "wb", buffering=0) as writer:
        writer.write(b"a\n")
        paths = listed_paths(stdin)
        assert next(paths) == "a"
        writer.write(b"b.png\n")
        assert next(paths) == "b.png"


HIDDEN = ["._a.png", "__MACOSX/._a.png", ".ipynb_checkpoints/a-checkpoint.png", ".Trash-0/b.png", "lot/@eaDir/a.png"]
SYSTEM = [".DS_Store", "Thumbs.db", "#recycle/1.png", "lost+found/1.png", "$RECYCLE.BIN/1.png"]


def test_hidden_and_system_files_are_passed_over_and_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "lot/b.png", "._b/notes.txt", "System Volume Information/1.png", *HIDDEN, *SYSTEM)
    found = Inputs([str(tmp_path)])
    assert [image.name for image in found] == ["a.png", "lot/b.png"]
    assert found.count() == 2
    assert found.passed_over() == ["passed over, hidden or of the system: 12 (--hidden takes them)"]


def test_hidden_and_system_files_are_taken_if_asked(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", *HIDDEN, *SYSTEM)
    found = Inputs([str(tmp_path)], hidden=True)
    taken = sorted(["a.png", *(name for name in (*HIDDEN, *SYSTEM) if name.endswith(".png"))])
    assert [image.name for image in found] == taken
    assert (found.count(), found.passed_over()) == (len(taken), [])


def test_what_is_named_outright_is_taken_whatever_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, ".lot/a.png", ".lot/.b.png", ".c.png", "d.heic", "@eaDir/e.png")
    monkeypatch.chdir(tmp_path)
    assert names(".lot") == ["a.png"]
    assert names(".c.png", "d.heic", "@eaDir") == [".c.png", "d.heic", "@eaDir/e.png"]


def test_hidden_files_of_tables_are_not_worth_a_word(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", ".results.csv.scores", ".results.csv.watch", ".results.csv-0.partial/results.csv")
    found = Inputs([str(tmp_path)])
    assert ([image.name for image in found], found.passed_over()) == (["a.png"], [])


def test_kinds_that_are_not_read_are_counted_by_suffix(tmp_path: Path) -> None:
    touch(tmp_path, "x.jfif", "y.JPE", "z.dib", "w.pnm", "p.heic", "lot/q.HEIC", "r.cr2", "s.raw", "t.txt", "u.json")
    touch(tmp_path, "scans.raw/1.png", "._p.heic")
    found = Inputs([str(tmp_path)])
    assert [image.name for image in found] == ["scans.raw/1.png", "w.pnm", "x.jfif", "y.JPE", "z.dib"]
    assert found.passed_over() == [
        "passed over, hidden or of the system: 1 (--hidden takes them)",
        "passed over, pictures of kinds that are not read: 1 .cr2, 2 .heic, 1 .raw (convert them, to PNG say)",
    ]


def test_an_empty_folder_among_others_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "one/1.png", "two/notes.txt")
    found = Inputs(["one", "two", "one/1.png"])
    assert [image.name for image in found] == ["one/1.png", "one/1.png"]
    assert (found.empty, found.count()) == (["two"], 2)


def test_missing_input_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone: no such file or folder; name images, a folder of images, or - for"):
        touch(tmp_path, "1.png")
        Inputs([str(tmp_path), str(tmp_path / "gone")])


@pytest.mark.parametrize(
    ("paths", "rest"),
    [
        (["a/notes.txt"], ""),
        (
            ["1.heic", "a/2.heic", ".3.png"],
            "; passed over, hidden or of the system: 1 (--hidden takes them); passed over, pictures of kinds that are "
            "not read: 2 .heic (convert them, to PNG say)",
        ),
    ],
)
def test_folder_without_images_is_refused(tmp_path: Path, paths: list[str], rest: str) -> None:
    touch(tmp_path, *paths)
    looked = ", ".join(SUFFIXES)
    with pytest.raises(InputError) as raised:
        Inputs([str(tmp_path)])
    assert str(raised.value) == f"{tmp_path}: no images in this folder; looked to the bottom for {looked}{rest}"
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as raised:
        Inputs([str(tmp_path), str(tmp_path / "empty")])
    assert str(raised.value) == (
        f"{tmp_path}, {tmp_path}/empty: no images in these folders; looked to the bottom for {looked}{rest}"
    )
