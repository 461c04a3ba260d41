"""Keeps other imports and undos of a business out while one is at work."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Cursor
from psycopg.rows import DictRow

from shared.eventstore.store import EventStore
from shared.jobs.queue import Lease, Retry
from shared.postgres.locks import Lock

# The server releases the lock when the session has been idle for so long between two batches.
_IDLE_TIMEOUT = "60s"


class _Exclusive:
    """A lease together with the lock."""

    def __init__(self, cursor: Cursor[DictRow], lease: Lease) -> None:
        self._cursor = cursor
        self._lease = lease

    def held(self) -> bool:
        self._cursor.execute("SELECT 1")
        return self._lease.held()


@contextmanager
def only_import(store: EventStore, business_id: int, lease: Lease) -> Iterator[Lease]:
    """Hold the business's import lock; a session that is idle for a minute loses it. Raises Retry if it is taken."""
    with store.cursor() as cursor:
        row = cursor.execute("SELECT pg_try_advisory_lock(%s, %s) AS locked", (Lock.IMPORT, business_id)).fetchone()
        if not (row and row["locked"]):
            raise Retry(1.0)
        cursor.execute("SELECT set_config('idle_session_timeout', %s, false)", (_IDLE_TIMEOUT,))
        try:
            yield _Exclusive(cursor, lease)
        finally:
            cursor.execute("RESET idle_session_timeout")
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", (Lock.IMPORT, business_id))
