"""A table that a watch takes up again: after an end at any moment, copied, edited, or without its notes."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import pytest

from adscore.appended import AppendedTable, open_appended
from adscore.errors import OutputError
from adscore.prediction import Prediction
from adscore.seen import Seen, Version
from adscore.stop import Stop
from adscore.table import written_path
from adscore.taken_up import Watched, take_up

# Three batches; a version is two numbers, and one row is of no image.
BATCHES: list[list[tuple[str, Version | None]]] = [
    [("a.png", (1, 10)), ("new\nline.png", (2, 20))],
    [("a.png", (1, 11)), ("lot", None)],
    [("=1.png", (3, 30)), ('quo"te.png', (4, 1 << 62))],
]
ALL = [row for batch in BATCHES for row in batch]


class Taken(NamedTuple):
    table: AppendedTable
    seen: Seen
    said: list[str]

    def has(self, name: str, version: Version | None) -> bool:
        return version is not None and self.seen.has(written_path(name), version)

    def add(self, rows: Sequence[tuple[str, Version | None]]) -> None:
        self.table.append([(Prediction(name, 0.5, 0.25, True, 0.01, None), version) for name, version in rows])


@contextmanager
def taken(out: Path, *, resume: bool = False, stop: Stop | None = None, given: str = "here") -> Iterator[Taken]:
    with open_appended(str(out)) as table:
        said: list[str] = []
        watched = Watched(str(out.parent / "images"), {"the detector": "one", "the input": given}, 0.25)
        yield Taken(table, take_up(table, watched, stop or Stop(), resume=resume, say=said.append), said)


def notes_of(out: Path) -> Path:
    return out.with_name(f".{out.name}.watch")


@pytest.fixture(params=["r.csv", "r.jsonl"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A table with all the rows."""
    path = tmp_path / str(request.param)
    with taken(path) as it:
        for batch in BATCHES:
            it.add(batch)
    return path


def refusal(out: Path, *, resume: bool = False) -> str:
    before = [path.read_bytes() for path in (out, notes_of(out)) if path.exists()]
    with pytest.raises(OutputError) as refused, taken(out, resume=resume):
        pass
    assert [path.read_bytes() for path in (out, notes_of(out)) if path.exists()] == before
    return str(refused.value)


def test_each_version_of_an_image_is_known_again(out: Path) -> None:
    with taken(out) as it:
        assert [row for row in ALL if not it.has(*row)] == [("lot", None)]
        assert not it.seen.has("a.png", (1, 12))
        assert not it.said


def test_an_end_at_any_moment_neither_loses_nor_doubles_a_row(out: Path) -> None:
    whole, notes = out.read_bytes(), notes_of(out).read_bytes()
    heading = whole.index(b"a.png")
    if out.suffix == ".jsonl":
        heading = 0
    noted = list(accumulate(map(len, notes.splitlines(keepends=True))))
    with open_appended(str(out)) as table:
        ends = list(accumulate((len(row.content) for row in table.rows()), initial=heading))
    # The notes of a batch are written before its rows, byte by byte: (bytes of the notes, bytes of the table).
    moments = []
    for batch in range(len(BATCHES)):
        moments += [(length, ends[2 * batch]) for length in range(noted[batch], noted[batch + 1])]
        moments += [(noted[batch + 1], length) for length in range(ends[2 * batch], ends[2 * batch + 2])]
    for place, (of_notes, of_table) in enumerate(moments[:: 1 + len(moments) // 60]):
        notes_of(out).write_bytes(notes[:of_notes])
        out.write_bytes(whole[:of_table] + b"\0" * (place % 3))
        there = sum(end <= of_table for end in ends[1:])
        # It goes on one row at a time; and that it ends again at once makes no difference.
        for done in range(there, len(ALL) + 1):
            with taken(out) as it:
                assert not it.said
                assert [it.has(*row) for row in ALL] == [row[1] is not None for row in ALL[:done]] + [False] * (
                    len(ALL) - done
                )
                it.add(ALL[done : done + 1])
        assert out.read_bytes() == whole


def test_rows_that_are_gone_are_forgotten(out: Path) -> None:
    with open_appended(str(out)) as table:
        first = next(iter(table.rows())).content
    out.write_bytes(out.read_bytes().split(first)[0] + first)
    for _ in range(2):
        with taken(out) as it:
            assert [it.has(*row) for row in ALL] == [True] + [False] * 5
    with taken(out) as it:
        it.add([("z.png", (9, 90))])
    with taken(out) as it:
        assert it.seen.has("z.png", (9, 90))


def test_a_table_without_rows_is_begun_anew_whatever_it_was(out: Path) -> None:
    out.write_bytes(b"")
    with taken(out, given="there") as it:
        assert not any(it.has(*row) for row in ALL)
        it.add(ALL[:1])
    assert refusal(out) == (
        f"{out}: cannot go on, since the input was there and is here now; repeat what it was, or choose another --out"
    )


def test_rows_that_were_changed_are_refused_by_line(out: Path) -> None:
    out.write_bytes(out.read_bytes().replace(b"0.01", b"0.02").replace(b"0.02", b"0.01", 2))
    line = 5 if out.suffix == ".csv" else 3
    assert refusal(out) == (
        f"{out}, line {line}: is not the row that was written there; choose another --out, or go on with the table as "
        "it is with --resume"
    )
    with taken(out, resume=True) as it:
        assert [it.has(*row) for row in ALL] == [True, True, False, False, False, False]
        assert it.said == [
            f"{out}: rows without a note of their image: 4; each counts for the image of its name, unless that is "
            "newer than the table"
        ]
    with taken(out) as it:
        assert not it.said


@pytest.mark.parametrize("left", [0, 2])
def test_rows_without_notes_count_for_images_that_are_no_younger(out: Path, left: int) -> None:
    lines = notes_of(out).read_bytes().splitlines(keepends=True)
    notes_of(out).write_bytes(b"".join(lines[:left]))
    if left == 0:
        notes_of(out).unlink()
        assert refusal(out) == (
            f"{out}: holds rows, and no notes beside it say of which folder and detector they are; choose another "
            "--out, or go on with it with --resume if they are of these"
        )
    changed = out.stat().st_mtime_ns
    (out.parent / "images").mkdir()
    for name, at in (("=1.png", changed), ('quo"te.png', changed + 1)):
        (out.parent / "images" / name).write_bytes(b"12345")
        os.utime(out.parent / "images" / name, ns=(at, at))
    for resume in (left == 0, False):
        with taken(out, resume=resume) as it:
            assert it.has("new\nline.png", (2, 20)) is (left == 2)
            assert it.has("=1.png", (5, changed))
            assert not it.has('quo"te.png', (5, changed + 1))


def test_rows_without_notes_that_another_threshold_decided_are_refused(out: Path) -> None:
    notes_of(out).unlink()
    out.write_bytes(out.read_bytes().replace(b"0.25", b"0.75").replace(b"0.75", b"0.25", 1))
    assert refusal(out, resume=True) == (
        f"{out}, line {3 if out.suffix == '.csv' else 2}: was decided by the threshold 0.75, and it is 0.25 now; "
        "choose another --out"
    )
    assert not notes_of(out).exists()


def test_a_signal_ends_the_reading_and_changes_nothing(out: Path) -> None:
    out.write_bytes(out.read_bytes() + b"torn")
    before = out.read_bytes(), notes_of(out).read_bytes()
    stop = Stop()
    stop.code = 143
    with pytest.raises(SystemExit), taken(out, stop=stop):
        pass
    assert (out.read_bytes(), notes_of(out).read_bytes()) == before
    assert sorted(path.name for path in out.parent.iterdir()) == sorted([out.name, notes_of(out).name])
