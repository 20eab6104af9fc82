"""Signals inside one process, at the one moment that matters."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from adscore.detector import Detector
from adscore.inputs import ImageFile
from adscore.pipeline import Effort, score_images
from adscore.prediction import Prediction
from adscore.stop import Stop
from tests.tiny import paint, tiny_detector


def test_what_was_named_before_the_stop_is_scored(tmp_path: Path) -> None:
    def named() -> Iterator[ImageFile]:
        for grey in (10, 20):
            yield ImageFile(str(grey), str(paint(tmp_path / f"{grey}.png", grey)))
        signal.raise_signal(signal.SIGTERM)
        yield ImageFile("never", "asked for")

    rows: list[Prediction] = []
    detector = Detector(tiny_detector(), threads=1)
    with Stop() as stop:
        score_images(detector, named(), rows.append, Effort(1, 32, lambda _: None, stop=stop), threshold=None)
    assert [row.path for row in rows] == ["10", "20"]
    assert stop.code == 143
    with pytest.raises(SystemExit, match="143"):
        stop.check()


def test_a_signal_while_work_is_in_hand_is_noticed_and_a_second_raised() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Stop() as stop:
        stop.check()
        signal.raise_signal(signal.SIGINT)
        assert stop.code == 130
        stop.sleep(3600)  # not begun
        with pytest.raises(SystemExit, match="143"):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) == before


def test_what_ends_for_another_reason_goes_on_ending() -> None:
    with Stop() as stop:
        with pytest.raises(SystemExit, match="5"):
            stop.cuts_short(lambda: exec("raise SystemExit(5)"))  # noqa: S102 - a lambda cannot raise
        signal.raise_signal(signal.SIGINT)
    assert stop.code == 130
