"""Keeps an embedded server running: one that ends is started again on its port, with growing pauses."""

import logging
import threading
import time
from collections.abc import Callable

from shared.embedded.program import EmbeddedServerError, Record
from shared.embedded.server import Server

PAUSES = (0.1, 0.5, 1.0, 2.0, 2.0)
"""Seconds before each attempt; the last is repeated for a server that starts and ends again and again."""
_HEALTHY_SECONDS = 10.0
_WATCH_SECONDS = 0.1
logger = logging.getLogger("smartmarket.embedded")


class Keeper(threading.Thread):
    """Watches one server until stopped, or until it failed to start as often as there are pauses."""

    def __init__(
        self, server: Server, record: Record, remember: Callable[[], None], give_up: Callable[[], None]
    ) -> None:
        """Watch a running `server`; `give_up` is called once, after the last failed attempt."""
        super().__init__(name=f"keeper-{server.name}", daemon=True)
        self.error: EmbeddedServerError | None = None
        self._server, self._record = server, record
        self._remember, self._give_up = remember, give_up
        self._stopped = threading.Event()
        self._restarts = 0
        self._up_since = time.monotonic()

    def run(self) -> None:
        """Watch until stopped."""
        while not self._stopped.wait(_WATCH_SECONDS):
            if self._server.has_ended() and not self._start_again():
                return

    def stop(self) -> None:
        """Stop watching; returns when no attempt is under way any more."""
        self._stopped.set()
        if self.is_alive():
            self.join()

    def _start_again(self) -> bool:
        """Start the server; returns False if stopped meanwhile or after the last failed attempt."""
        ended = time.monotonic()
        if ended - self._up_since > _HEALTHY_SECONDS:
            self._restarts = 0
        for attempt in range(1, len(PAUSES) + 1):
            pause = PAUSES[min(self._restarts, len(PAUSES) - 1)]
            self._restarts += 1
            logger.warning("%s has ended; starting it again in %.1f s", self._server.name, pause)
            if self._stopped.wait(pause):
                return False
            try:
                self._server.restart(self._record, self._remember, self._stopped)
            except (EmbeddedServerError, OSError) as error:
                self._failed(attempt, error)
                continue
            self._up_since = time.monotonic()
            seconds = {"seconds": round(self._up_since - ended, 2)}
            logger.warning("%s runs again (process %d)", self._server.name, self._record.pid, extra=seconds)
            return True
        self._give_up()
        return False

    def _failed(self, attempt: int, error: EmbeddedServerError | OSError) -> None:
        message = str(error)
        logger.error("%s did not start again", self._server.name, extra={"attempt": attempt, "reason": message})
        if attempt == len(PAUSES):
            self.error = EmbeddedServerError(f"Gave up after {attempt} attempts. {message}")
