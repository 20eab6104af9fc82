"""What the tests of watches share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.watching import Watch, Watching


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Returns a function that begins a watch, which ends with the test."""
    begun: list[Watching] = []

    def begin(*options: str, out: str = "results.csv") -> Watching:
        begun.append(Watching(tmp_path, *options, out=out))
        return begun[-1]

    yield begin
    for watching in begun:
        watching.process.kill()
        watching.process.wait()
