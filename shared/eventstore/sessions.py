"""Which sessions are active, remembered for a minute, forgotten at once when the database announces an end."""

import logging
import threading
import time
from typing import NamedTuple

import psycopg

from shared.eventstore.metadata import Session
from shared.eventstore.store import EventStore

MAX_AGE = 60.0
_POLL = 1.0
_REMEMBERED = 20_000
logger = logging.getLogger("smartmarket.sessions")

# Selects whether a session is active.
SELECT_ACTIVE = "SELECT credentials.session_is_active(%s::uuid, %s, %s) AS active"


class _Answer(NamedTuple):
    active: bool
    until: float


class SessionRegister(threading.Thread):
    """Answers whether sessions are active; safe to use from any thread.

    A remembered answer is at most MAX_AGE seconds old, and right within milliseconds while the database can be
    listened to: it announces the accounts whose sessions may have ended.
    """

    def __init__(self, store: EventStore, url: str) -> None:
        """Look up with `store`, listen on `url` once started."""
        super().__init__(name="session-register", daemon=True)
        self._store = store
        self._url = url
        self._answers: dict[int, dict[Session, _Answer]] = {}
        self._changes = 0
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self.listening = threading.Event()

    def remembered(self, session: Session) -> bool | None:
        """Return whether the session was active when last looked up, None if that is unknown or too long ago."""
        answer = self._answers.get(session.user_id, {}).get(session)
        return answer.active if answer is not None and time.monotonic() < answer.until else None

    def look_up(self, session: Session) -> bool:
        """Return whether the session is active now, and remember it."""
        with self._lock:
            changes = self._changes
        with self._store.cursor() as cursor:
            active = bool(cursor.execute(SELECT_ACTIVE, session, prepare=True).fetchall()[0]["active"])
        with self._lock:
            if changes == self._changes:  # otherwise the answer may be older than what was announced meanwhile
                if len(self._answers) >= _REMEMBERED:
                    self._answers.clear()
                self._answers.setdefault(session.user_id, {})[session] = _Answer(active, time.monotonic() + MAX_AGE)
        return active

    def run(self) -> None:
        """Listen until stopped, reconnecting after every lost connection."""
        while not self._stopped.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                logger.warning("session listener failed; retrying", extra={"reason": type(error).__name__})
                self._stopped.wait(_POLL)
            finally:
                self.listening.clear()

    def stop(self) -> None:
        """Stop listening."""
        self._stopped.set()

    def _listen(self) -> None:
        with psycopg.connect(self._url, autocommit=True, application_name="smartmarket-sessions") as conn:
            conn.execute("LISTEN sessions")
            self._forget(None)  # what was announced before is lost
            self.listening.set()
            while not self._stopped.is_set():
                for notice in conn.notifies(timeout=_POLL, stop_after=1):
                    self._forget(int(notice.payload))

    def _forget(self, user_id: int | None) -> None:
        with self._lock:
            self._changes += 1
            if user_id is None:
                self._answers.clear()
            else:
                self._answers.pop(user_id, None)
