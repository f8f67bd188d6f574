"""Waiting for something that other processes bring about."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], within_s: float = 60, what: Callable[[], str] = str) -> None:
    """Returns as soon as the condition holds; AssertionError, saying what is there instead, if it does not in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        is_late = time.monotonic() > deadline
        assert not is_late, what()
        time.sleep(0.1)
