import hashlib

import pytest

from adscore import Detector
from adscore.checksum import BLANK, CHECKSUM_KEY, with_checksum
from adscore.errors import ModelError
from tests.golden import DEMO
from tests.tiny import tiny_detector

CONTENT = (DEMO / "detector.onnx").read_bytes()


def test_the_checksum_is_what_is_promised() -> None:
    start = CONTENT.index(CHECKSUM_KEY.encode()) + len(CHECKSUM_KEY) + 2
    digits = CONTENT[start : start + 64]
    assert hashlib.sha256(CONTENT.replace(digits, b"0" * 64)).hexdigest().encode() == digits


@pytest.mark.parametrize("place", [0.01, 0.3, 0.5, 0.9, 0.999])
def test_one_flipped_bit_anywhere_is_refused(place: float) -> None:
    damaged = bytearray(CONTENT)
    damaged[int(place * len(damaged))] ^= 1
    with pytest.raises(ModelError, match="detector: the file is damaged: its checksum differs; copy it again, or"):
        Detector(bytes(damaged))


def test_what_has_no_checksum_is_taken_as_it_is() -> None:
    assert Detector(tiny_detector()).spec.format_version == 3
    with pytest.raises(ValueError, match=f"the metadata holds no adscore.sha256 of {len(BLANK)} digits"):
        with_checksum(tiny_detector())
