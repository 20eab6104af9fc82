from pathlib import Path

import pytest

from adscore.atomic import appears_when_complete, refuse_existing
from adscore.errors import OutputError


def test_a_folder_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "old").touch()
    with appears_when_complete(tmp_path / "run") as partial:
        partial.mkdir()
        (partial / "new").touch()
        assert (tmp_path / "run" / "old").exists()
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*"))] == ["run", "run/new"]


def test_what_stood_there_comes_back_if_the_new_cannot_take_its_place(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "old").touch()
    with (
        pytest.raises(OutputError, match="run: cannot be written"),
        appears_when_complete(tmp_path / "run") as partial,
    ):
        partial.mkdir()
        # A folder where the old one would be put aside, with something in it: the exchange fails in the middle.
        aside = partial.with_name(partial.name.replace("partial", "replaced"))
        aside.mkdir()
        (aside / "in the way").touch()
    assert (tmp_path / "run" / "old").exists()


@pytest.mark.parametrize("name", ["x" * 250 + ".csv", ".hidden"])
def test_any_name_that_the_system_takes(tmp_path: Path, name: str) -> None:
    with appears_when_complete(tmp_path / name) as partial:
        partial.touch()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_force_keeps_what_the_command_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "0001.png").touch()
    refuse_existing(tmp_path, force=True, contents=("labels.csv", "[0-9]*.png"))
    (tmp_path / "holiday.png").touch()
    with pytest.raises(OutputError, match=r"holds holiday.png, which this command did not write, so it is not"):
        refuse_existing(tmp_path, force=True, contents=("labels.csv", "[0-9]*.png"))
