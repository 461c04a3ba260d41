"""The skeleton of background threads."""

import logging
import threading
import time

import psycopg
import pytest

from shared.runtime.loop import Loop


class Counting(Loop):
    """Raises the given errors, one per step, and counts its steps."""

    retry_seconds = 0.01
    failure_seconds = 0.02

    def __init__(self, *errors: Exception) -> None:
        super().__init__("counting")
        self.steps = 0
        self._errors = list(errors)
        self.stop_after = len(errors) + 1

    def step(self) -> None:
        self.steps += 1
        if self.steps >= self.stop_after:
            self.stop()
        if self._errors:
            raise self._errors.pop(0)


def test_a_loop_repeats_its_step_until_it_is_stopped() -> None:
    loop = Counting()
    loop.stop_after = 3
    loop.start()
    loop.join(5)
    assert (loop.steps, loop.name, loop.daemon) == (3, "counting", True)


@pytest.mark.parametrize(
    ("error", "level", "traceback"),
    [(psycopg.OperationalError("gone"), logging.WARNING, False), (ValueError("bug"), logging.ERROR, True)],
)
def test_a_step_that_fails_is_logged_and_repeated(
    caplog: pytest.LogCaptureFixture, error: Exception, level: int, traceback: bool
) -> None:
    loop = Counting(error)
    loop.run()
    assert loop.steps == 2
    (record,) = caplog.records
    assert (record.getMessage(), record.levelno) == ("counting failed; retrying", level)
    assert bool(record.exc_info) == traceback
    assert getattr(record, "reason", "OperationalError: gone") == "OperationalError: gone"


def test_stopping_a_loop_ends_its_pause_at_once() -> None:
    class Waiting(Loop):
        def step(self) -> None:
            waiting.set()
            self.wait(60)

    waiting, loop = threading.Event(), Waiting("waiting")
    loop.start()
    assert waiting.wait(5)
    began = time.monotonic()
    loop.stop()
    loop.join(5)
    assert not loop.is_alive()
    assert time.monotonic() - began < 5
