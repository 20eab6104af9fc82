"""Whatever bytes come as a detector: a detector that scores, or one line; never an end of the process."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from hypothesis import given

from tests.fuzz.edits import edited
from tests.fuzz.opening import open_and_score
from tests.golden import DEMO
from tests.tiny import GRAPH, tiny_detector, tiny_spec

SOUND = [
    tiny_detector(),
    tiny_detector(tiny_spec("RGB")),
    tiny_detector(graph=GRAPH.replace("Mul (scaled, zero)", "Sigmoid (scaled)")),
    (DEMO / "detector.onnx").read_bytes(),
]
SECONDS = 60


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    """Yields a process that may die; then what it was asked raises BrokenProcessPool."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


@given(content=edited(SOUND))
def test_bytes_become_a_detector_or_one_line(elsewhere: ProcessPoolExecutor, content: bytes) -> None:
    said = elsewhere.submit(open_and_score, content).result(timeout=SECONDS)
    assert said.isprintable()
    assert 0 < len(said) < 3000


def test_what_is_sound_scores(elsewhere: ProcessPoolExecutor) -> None:
    assert {elsewhere.submit(open_and_score, content).result(timeout=SECONDS) for content in SOUND} == {"scores"}
