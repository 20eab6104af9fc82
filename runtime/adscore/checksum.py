"""A checksum that a detector file carries of itself: damage shows before anything is made of it.

The metadata value `adscore.sha256` is the SHA-256 of the whole file, in hexadecimal, with these 64 digits as zeros.
Weights have no form of their own that a flipped bit could violate; without a checksum they would only give another
score.
"""

from hashlib import sha256

from adscore.errors import ModelError

CHECKSUM_KEY = "adscore.sha256"
BLANK = "0" * 64

# How protobuf writes one entry of the metadata: the key, then field 2 with its length, then the value.
_BEFORE = CHECKSUM_KEY.encode() + b"\x12" + bytes([len(BLANK)])


def with_checksum(content: bytes) -> bytes:
    """Returns the content of a file whose metadata holds BLANK under CHECKSUM_KEY, with the checksum in its place."""
    start = _start(content)
    if start is None:
        raise ValueError(f"the metadata holds no {CHECKSUM_KEY} of {len(BLANK)} digits")
    return content[:start] + _checksum(content, start) + content[start + len(BLANK) :]


def check(content: bytes) -> None:
    """Compares a file's content with the checksum in it; files from before there was one are passed over.

    Raises:
        ModelError: they differ.
    """
    start = _start(content)
    if start is not None and content[start : start + len(BLANK)] != _checksum(content, start):
        raise ModelError("the file is damaged: its checksum differs; copy it again, or export the detector again")


def _start(content: bytes) -> int | None:
    place = content.find(_BEFORE)
    return None if place < 0 else place + len(_BEFORE)


def _checksum(content: bytes, start: int) -> bytes:
    digest = sha256(content[:start])
    digest.update(BLANK.encode())
    digest.update(content[start + len(BLANK) :])
    return digest.hexdigest().encode()
