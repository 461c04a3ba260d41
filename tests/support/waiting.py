"""Waiting for what other threads and processes do."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PATIENCE = 90.0
# Between two looks, longer and longer: most are requests or queries, which take processor time from what is awaited.
_PAUSES = (0.003, 0.005, 0.008, 0.012, 0.02, 0.03)


def wait_until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Return once `condition` holds; fails the test after `patience` seconds."""
    until = time.monotonic() + patience
    pauses = iter(_PAUSES)
    while not condition():
        assert time.monotonic() < until, "this did not come to pass in time"
        time.sleep(next(pauses, _PAUSES[-1]))


class Stopwatch:
    """Measures how long something takes on a machine that has nothing else to do.

    Time in which any process of the machine waited for a processor is not counted (Linux's pressure stall information;
    where there is none, all of it is counted).
    """

    def __init__(self) -> None:
        """Start."""
        self._began = time.monotonic()
        self._stalled = _stalled()

    def seconds(self) -> float:
        """Return the seconds since the start without those in which the machine was too busy."""
        return time.monotonic() - self._began - (_stalled() - self._stalled)


def _stalled() -> float:
    with suppress(OSError, ValueError):
        some = Path("/proc/pressure/cpu").read_text(encoding="ascii").splitlines()[0]
        return int(some.rpartition("total=")[2]) / 1_000_000
    return 0.0
