"""Waiting for what other threads and processes do."""

import time
from collections.abc import Callable

PATIENCE = 90.0


def wait_until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Return once `condition` holds; fails the test after `patience` seconds."""
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until, "this did not come to pass in time"
        time.sleep(0.005)
