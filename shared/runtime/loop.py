"""Background loops: a named thread that repeats one step until it is stopped."""

import logging
import threading
from typing import ClassVar

import psycopg

logger = logging.getLogger("smartmarket.loop")


class Loop(threading.Thread):
    """Calls `step` again and again until stopped; a step that fails is logged and called again after a pause.

    Runs as a thread after `start()`, or in the caller's own thread by `run()`. A step is called without a pause after
    the one before; it waits by `wait`, or where it blocks otherwise it looks at `stopping` at least once a second.
    """

    transient: ClassVar[tuple[type[Exception], ...]] = (psycopg.Error,)
    """What passes by itself, such as a database that restarts: a warning without traceback, and a short pause."""
    retry_seconds: ClassVar[float] = 0.5
    failure_seconds: ClassVar[float] = 5.0

    def __init__(self, name: str) -> None:
        """Name the thread, and the loop in the log."""
        super().__init__(name=name, daemon=True)
        self._stopped = threading.Event()

    def step(self) -> None:
        """Do what is due now; what it raises is logged."""
        raise NotImplementedError

    def run(self) -> None:
        """Repeat the step until stopped."""
        while not self.stopping:
            try:
                self.step()
            except self.transient as error:
                logger.warning("%s failed; retrying", self.name, extra={"reason": f"{type(error).__name__}: {error}"})
                self.wait(self.retry_seconds)
            except Exception:
                logger.exception("%s failed; retrying", self.name)
                self.wait(self.failure_seconds)

    @property
    def stopping(self) -> bool:
        """Tell whether the loop ends after the current step."""
        return self._stopped.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until `seconds` have passed or the loop is stopped; returns whether it is stopped."""
        return self._stopped.wait(seconds)

    def stop(self) -> None:
        """Ask the loop to end after the current step; returns at once."""
        self._stopped.set()
