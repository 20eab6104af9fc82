"""Why an image is refused, as training and scoring see it."""

from pathlib import Path

import pytest

from adscore.errors import ImageError
from adscore.images import Limits, decode, read_header
from adscore.spec import ImageSpec

_GREY = ImageSpec(2, 2, "L")


def cause(path: str | Path, limits: Limits | None = None) -> str:
    """Returns why `path` cannot be decoded, which must be why its header cannot be read."""
    limits = limits or Limits()
    with pytest.raises(ImageError) as header:
        read_header(path, limits)
    with pytest.raises(ImageError) as whole:
        decode(path, _GREY, limits)
    assert str(whole.value) == str(header.value)
    return str(whole.value)
