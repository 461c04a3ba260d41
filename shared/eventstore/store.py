"""The event store: commands append to the log, policies and projectors follow it.

One SQL function (`log.append`) writes index rows, order, hash chain, events and NOTIFY in one round trip and one
transaction.
"""

import datetime as dt
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, LiteralString, NamedTuple, TypeVar, cast

from eventsourcing import persistence
from eventsourcing.persistence import IntegrityError, InterfaceError, InternalError, OperationalError, StoredEvent
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg_pool import PoolTimeout

from shared.errors import IdempotencyKeyReused, NotAuthenticated
from shared.eventstore.codec import RecordedEvent, encode
from shared.eventstore.event import Event
from shared.eventstore.metadata import Metadata, Session, Source
from shared.eventstore.reader import recorded_of
from shared.eventstore.recorder import Append, Datastore, Recorder
from shared.eventstore.vault import MasterKey, Vault
from shared.postgres.locks import business_lock

__all__ = ["EventStore", "Metadata", "Outcome", "Recorder", "Session", "Source", "StoreError", "UnitOfWork"]

R = TypeVar("R")
_ATTEMPTS = 5
_NO_SESSION = (None, None, None)
logger = logging.getLogger("smartmarket.event_store")

StoreError = persistence.PersistenceError
INTERRUPTIONS = (IntegrityError, InterfaceError, InternalError, OperationalError)
"""Errors that may pass by themselves: another command was faster, or the database did not answer."""

# Begin a command under the lock of its business; returns the time, the answer of an earlier command of the same id,
# and whether the session of its sender is active.
BEGIN_COMMAND = """SELECT now, known, request_hash, result, position, active
    FROM log.begin_command(%s, %s, %s, %s::uuid, %s, %s)"""
# Records the source of the request that appended the last events of the log, by their positions.
INSERT_SOURCE = """INSERT INTO credentials.requests (position, ip, user_agent)
    SELECT position, %s::inet, %s FROM generate_series(%s::bigint, %s::bigint) AS position"""
# Selects the values of index keys by one probe per key, even if the table grew since its statistics were gathered.
SELECT_INDEX = """SELECT i.key, i.value FROM unnest(%b::bytea[]) AS wanted CROSS JOIN LATERAL (
    SELECT key, value FROM log.index_rows WHERE kind = %s AND scope = %s AND key = wanted OFFSET 0) AS i"""
# Allocates consecutive public ids; returns the first.
ALLOT = """INSERT INTO log.counters AS c (scope, kind, next) VALUES (%(scope)s, %(kind)s, 1 + %(count)s)
    ON CONFLICT (scope, kind) DO UPDATE SET next = c.next + %(count)s RETURNING next - %(count)s AS first"""
# Selects one stream, in order.
SELECT_STREAM = """SELECT notification_id, originator_id, originator_version, topic, business_id, recorded_at,
        meta, state
    FROM log.events WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version"""


class Outcome(NamedTuple, Generic[R]):
    """The answer of a command, the position of its last event, and whether it had been executed before (`replayed`)."""

    result: R
    position: int | None
    replayed: bool


class UnitOfWork:
    """One command from reading to appending: one transaction, under the lock of its business."""

    def __init__(self, cursor: Cursor[DictRow], master: MasterKey, append: Append, now: dt.datetime) -> None:
        """Use `cursor`; `now` is the database's clock at the start."""
        self.now = now
        self.business_id = append.business_id
        self.vault = Vault(master, self.sql)
        self.events: list[StoredEvent] = []
        self.extra = append
        self._cursor = cursor

    def sql(self, query: LiteralString, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run a statement in this transaction; returns its rows, none if it has no result."""
        self._cursor.execute(query, params)
        return self._cursor.fetchall() if self._cursor.description else []

    def load(self, stream: str, after: int = 0) -> list[RecordedEvent]:
        """Return the events of a stream, all or those after a version, in order."""
        return [recorded_of(row) for row in self.sql(SELECT_STREAM, (stream, after))]

    def append(self, stream: str, expected_version: int, *events: Event) -> None:
        """Append at the end of the transaction; `expected_version` is that of the stream's last event, 0 for none."""
        for version, event in enumerate(events, expected_version + 1):
            self.events.append(StoredEvent(stream, version, event.topic, encode(event)))

    def claim(self, kind: str, key: bytes, value: int, *, everywhere: bool = False) -> None:
        """Claim a unique key for `value`; if another command has claimed it meanwhile, this one is decided again."""
        self.extra.claims.append((kind, self._scope(everywhere=everywhere), key, value))

    def release(self, kind: str, key: bytes, *, everywhere: bool = False) -> None:
        """Release a key."""
        self.extra.releases.append((kind, self._scope(everywhere=everywhere), key))

    def find(self, kind: str, keys: Sequence[bytes], *, everywhere: bool = False) -> dict[bytes, int]:
        """Return the values of the keys that are claimed."""
        rows = self.sql(SELECT_INDEX, (list(keys), kind, self._scope(everywhere=everywhere))) if keys else []
        return {bytes(row["key"]): row["value"] for row in rows}

    def _scope(self, *, everywhere: bool) -> int:
        return 0 if everywhere else self.business_id or 0


class EventStore:
    """The event store as used by one process."""

    def __init__(self, url: str, master: MasterKey, *, pool_size: int = 4, role: str | None = None) -> None:
        """Open a pool of at most `pool_size` connections when first needed, acting as `role` if one is given."""
        if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS", "").lower() in {"1", "true", "yes", "on", "y", "t"}:
            msg = "POSTGRES_ENABLE_DB_FUNCTIONS skips the lock that orders the log: unset it."
            raise RuntimeError(msg)
        self.master = master
        self._datastore = Datastore(url, pool_size=pool_size, role=role)
        self.recorder = Recorder(self._datastore, events_table_name="events")

    def close(self) -> None:
        """Close the pool."""
        self._datastore.close()

    @contextmanager
    def cursor(self) -> Iterator[Cursor[DictRow]]:
        """Lend a cursor in autocommit, rows as dicts."""
        try:
            with self._datastore.get_connection() as conn, conn.cursor() as cursor:
                yield cursor
        except INTERRUPTIONS as error:
            self._check_pool(error)
            raise

    @contextmanager
    def snapshot(self) -> Iterator[Cursor[DictRow]]:
        """Lend a cursor for reading, rows as dicts: all of its statements see the database as the first one does."""
        with self.cursor() as cursor, cursor.connection.transaction():
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield cursor

    def execute(
        self,
        business_id: int | None,
        meta: Metadata,
        decide: Callable[[UnitOfWork], R],
        *,
        request_hash: bytes | None = None,
    ) -> Outcome[R]:
        """Execute one command: read, decide and append in one transaction under the business's lock.

        A command id that was executed before is answered with the stored result; with another `request_hash` it raises
        IdempotencyKeyReused. A session that has ended raises NotAuthenticated. After a lost connection or a conflict
        `decide` runs again, so it must have no other effects. Refusals raised by `decide` roll back and pass through.
        The result must be serialisable as JSON.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._attempt(business_id, meta, decide, request_hash)
            except INTERRUPTIONS as error:
                if attempt == _ATTEMPTS or isinstance(error.__cause__, PoolTimeout):
                    raise
                logger.warning("command failed; retrying", extra={"attempt": attempt, "reason": type(error).__name__})
                self._check_pool(error)
        raise AssertionError

    def _check_pool(self, error: Exception) -> None:
        """Replace the pool's broken connections, so that the next attempt does not get another one."""
        if not isinstance(error, IntegrityError) and not isinstance(error.__cause__, PoolTimeout):
            self._datastore.pool.check()

    def _attempt(
        self, business_id: int | None, meta: Metadata, decide: Callable[[UnitOfWork], R], request_hash: bytes | None
    ) -> Outcome[R]:
        append = Append(business_id, meta.as_json())
        with self._datastore.get_connection() as conn, conn.transaction(), conn.cursor() as cursor:
            begun = (business_id, business_lock(business_id or 0), meta.command_id, *(meta.session or _NO_SESSION))
            row = cast("DictRow", cursor.execute(BEGIN_COMMAND, begun, prepare=True).fetchone())
            if not row["active"]:
                raise NotAuthenticated
            if row["known"]:
                return _stored_outcome(row, request_hash)
            now: dt.datetime = row["now"].astimezone(dt.UTC)
            unit = UnitOfWork(cursor, self.master, append, now)
            result = decide(unit)
            if unit.events and meta.command_id:
                append.command = (meta.command_id, request_hash, result)
            position = None
            if unit.events or append.claims or append.releases:
                position = self.recorder.append(cursor, unit.events, append)
            if position and meta.source:
                first = position - len(unit.events) + 1
                cursor.execute(INSERT_SOURCE, (*meta.source, first, position), prepare=True)
        return Outcome(result, position, replayed=False)

    def allot(self, business_id: int | None, kind: str, count: int = 1) -> int:
        """Allocate `count` consecutive public ids and return the first; ids of failed commands are gaps."""
        wanted = {"scope": business_id or 0, "kind": kind, "count": count}
        return int(self._fetch(ALLOT, wanted)[0]["first"])

    def load(self, stream: str, after: int = 0) -> list[RecordedEvent]:
        """Return the events of a stream, all or those after a version, in order."""
        return [recorded_of(row) for row in self._fetch(SELECT_STREAM, (stream, after))]

    def _fetch(self, query: LiteralString, params: Sequence[Any] | Mapping[str, Any]) -> list[DictRow]:
        """Return the rows of a statement that may run twice: it is repeated if the connection was broken."""
        try:
            with self.cursor() as cursor:
                return cursor.execute(query, params, prepare=True).fetchall()
        except (InterfaceError, OperationalError) as error:
            if isinstance(error.__cause__, PoolTimeout):
                raise
            with self.cursor() as cursor:
                return cursor.execute(query, params, prepare=True).fetchall()

    def head(self) -> int:
        """Return the position of the newest event, 0 for an empty log."""
        return self.recorder.max_notification_id() or 0


def _stored_outcome(row: DictRow, request_hash: bytes | None) -> Outcome[Any]:
    if bytes(row["request_hash"] or b"") != (request_hash or b""):
        raise IdempotencyKeyReused
    return Outcome(row["result"], row["position"], replayed=True)
