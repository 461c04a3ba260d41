"""Wakes the followers of the log when an event is appended; a lost notification delays them by one poll."""

import logging
import threading

import psycopg

_POLL = 1.0
logger = logging.getLogger("smartmarket.wakeup")


class LogListener(threading.Thread):
    """One LISTEN for all followers of a process."""

    def __init__(self, url: str) -> None:
        """Listen on `url` once started."""
        super().__init__(name="log-listener", daemon=True)
        self._url = url
        self._appended = threading.Condition()
        self._count = 0
        self._stopped = threading.Event()

    def run(self) -> None:
        """Listen until stopped, reconnecting after every lost connection."""
        while not self._stopped.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                logger.warning("log listener failed; retrying", extra={"reason": type(error).__name__})
                self._stopped.wait(_POLL)

    def _listen(self) -> None:
        with psycopg.connect(self._url, autocommit=True, application_name="smartmarket-listener") as conn:
            conn.execute("LISTEN log")
            self._wake()
            while not self._stopped.is_set():
                for _ in conn.notifies(timeout=_POLL, stop_after=1):
                    self._wake()

    def _wake(self) -> None:
        with self._appended:
            self._count += 1
            self._appended.notify_all()

    def seen(self) -> int:
        """Return the number of wake-ups so far, to be passed to `wait`."""
        with self._appended:
            return self._count

    def wait(self, mark: int, seconds: float = _POLL) -> None:
        """Return when an event was appended since `mark`, or after `seconds`."""
        with self._appended:
            self._appended.wait_for(lambda: self._count != mark or self._stopped.is_set(), seconds)

    def stop(self) -> None:
        """Stop the thread and wake all waiting followers."""
        self._stopped.set()
        self._wake()
