"""Waiting for what another process does, which no pipe can tell."""

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], object]) -> None:
    """Returns once the condition holds; after a minute that is a failure."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "what was waited for never came"
        time.sleep(0.005)
