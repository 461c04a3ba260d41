"""Rebuilds the write-side indexes and counters from the log: everything that commands decide by is derivable."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from psycopg import Connection

from shared.discovery import collected
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.index_rows import EVERY_KIND, DomainIndex, IndexRow
from shared.eventstore.reader import LogReader
from shared.postgres.locks import Lock
from write_side.lookups.customers import MERGED

_BATCH = 200

# Block appends until the commit. Appenders lock the table before the log, so this does too.
LOCK_INDEX = "LOCK TABLE log.index_rows IN ACCESS EXCLUSIVE MODE"
LOCK_LOG = "SELECT pg_advisory_xact_lock(%s, 0)"
# Keep the kinds that are not derived from the log (keys of repeated registrations).
KEEP_OTHERS = """INSERT INTO staged_rows (kind, scope, key, value)
    SELECT kind, scope, key, value FROM log.index_rows WHERE kind <> ALL(%s)"""
# Create the table of staged rows, in the order of their events.
CREATE_STAGED = """CREATE TEMP TABLE staged_rows (LIKE log.index_rows, held boolean NOT NULL DEFAULT true,
    step bigint GENERATED ALWAYS AS IDENTITY) ON COMMIT DROP"""
# Delete the rows of businesses that were erased, up to that moment.
DELETE_ERASED = """DELETE FROM staged_rows AS s USING (
        SELECT scope, max(step) AS step FROM staged_rows WHERE kind = %s GROUP BY scope) AS e
    WHERE s.scope = e.scope AND s.step <= e.step"""
# Delete the rows of keys that were released, up to their last release.
DELETE_RELEASED = """DELETE FROM staged_rows AS s USING (
        SELECT kind, scope, key, max(step) AS step FROM staged_rows WHERE NOT held GROUP BY 1, 2, 3) AS r
    WHERE (s.kind, s.scope, s.key) = (r.kind, r.scope, r.key) AND s.step <= r.step"""
# Redirect rows of merged customers to the surviving ones, which may have been merged in turn.
FOLLOW_MERGES = """WITH RECURSIVE gone AS (
        SELECT DISTINCT scope, ('x' || encode(key, 'hex'))::bit(64)::bigint AS id, value FROM staged_rows
        WHERE kind = %(merged)s),
    went AS (
        SELECT scope, id, value FROM gone
        UNION SELECT w.scope, w.id, g.value FROM went AS w JOIN gone AS g ON (g.scope, g.id) = (w.scope, w.value)),
    living AS (
        SELECT scope, id, value FROM went AS w
        WHERE NOT EXISTS (SELECT FROM gone AS g WHERE (g.scope, g.id) = (w.scope, w.value)))
    UPDATE staged_rows AS s SET value = l.value FROM living AS l WHERE s.scope = l.scope
        AND ((s.kind = 'customer' AND s.value = l.id) OR (s.kind = %(merged)s AND s.key = int8send(l.id)))"""
# Replace the index by the staged rows.
SWAP = """TRUNCATE log.index_rows; INSERT INTO log.index_rows (kind, scope, key, value)
    SELECT DISTINCT ON (kind, scope, key) kind, scope, key, value FROM staged_rows ORDER BY kind, scope, key, value"""
# Counts derived rows that the index does not have, and rows of these kinds that it has besides.
COUNT_DIFFERENCES = """WITH derived AS (
        SELECT DISTINCT ON (kind, scope, key) kind, scope, key, value FROM staged_rows
        ORDER BY kind, scope, key, value),
    kept AS (SELECT kind, scope, key, value FROM log.index_rows WHERE kind = ANY(%s))
    SELECT (SELECT count(*) FROM (SELECT * FROM derived EXCEPT SELECT * FROM kept) AS lost),
        (SELECT count(*) FROM (SELECT * FROM kept EXCEPT SELECT * FROM derived) AS added)"""
SELECT_COUNTERS = "SELECT scope, kind, next FROM log.counters"
# Raise a counter; it never decreases.
RAISE_COUNTER = """INSERT INTO log.counters AS c VALUES (%s, %s, %s)
    ON CONFLICT (scope, kind) DO UPDATE SET next = greatest(c.next, excluded.next)"""


class WriteIndexes:
    """The indexes of all domains: rows, counters and numbered events, by event class and kind."""

    def __init__(self, domains: Sequence[DomainIndex]) -> None:
        """Merge the domains' contributions."""
        self.rows = {event: rows for domain in domains for event, rows in domain.rows.items()}
        self.counters = {kind: counter for domain in domains for kind, counter in domain.counters.items()}
        self.kinds = [*self.counters, *(kind for domain in domains for kind in domain.uncounted)]
        self.numbered = {event: number for domain in domains for event, number in domain.numbered.items()}

    @property
    def topics(self) -> list[str]:
        """Return the topics of the events to read."""
        return [event.topic for event in (*self.rows, *self.numbered)]


@functools.cache
def write_indexes() -> WriteIndexes:
    """Return the indexes, collected from the domains."""
    return WriteIndexes(collected("write_side", "index_rows", "INDEX", DomainIndex))


def rebuild_indexes(conn: Connection[Any], report: Callable[[int], None] = lambda _: None) -> int:
    """Replace the write-side indexes by rows derived from the log, in one transaction; returns the number of rows.

    Appends are blocked only while the last events are read; a rebuild that is killed changes nothing.
    """
    reader = LogReader(write_indexes().topics)
    highest: dict[tuple[int, str], int] = {}
    with conn.transaction():
        conn.execute(CREATE_STAGED)
        after = _stage(conn, reader, 0, highest, report)
        conn.execute(LOCK_INDEX)
        conn.execute(LOCK_LOG, (Lock.LOG,))
        _stage(conn, reader, after, highest, report)
        conn.execute(DELETE_ERASED, (EVERY_KIND,))
        conn.execute(DELETE_RELEASED)
        conn.execute(KEEP_OTHERS, (write_indexes().kinds,))
        conn.execute(FOLLOW_MERGES, {"merged": MERGED})
        conn.execute(SWAP)
        for (scope, kind), value in highest.items():
            conn.execute(RAISE_COUNTER, (scope, kind, value + 1))
        row = conn.execute("SELECT count(*) FROM log.index_rows").fetchone()
    return cast("tuple[int]", row)[0]


def index_differences(conn: Connection[Any]) -> dict[str, int]:
    """Return how many index rows and counters are not those that the log gives, by kind of difference.

    Reads the log as of one moment, so appends go on meanwhile.
    """
    highest: dict[tuple[int, str], int] = {}
    with conn.transaction(force_rollback=True):
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        conn.execute(CREATE_STAGED)
        _stage(conn, LogReader(write_indexes().topics), 0, highest, lambda _: None)
        conn.execute(DELETE_ERASED, (EVERY_KIND,))
        conn.execute(DELETE_RELEASED)
        conn.execute(FOLLOW_MERGES, {"merged": MERGED})
        lost, added = cast("tuple[int, int]", conn.execute(COUNT_DIFFERENCES, (write_indexes().kinds,)).fetchone())
        counters = {(scope, kind): following for scope, kind, following in conn.execute(SELECT_COUNTERS)}
    behind = sum(counters.get(counter, 0) <= value for counter, value in highest.items())
    return {"index_rows_missing": lost, "index_rows_added": added, "counters_rewound": behind}


def _stage(
    conn: Connection[Any],
    reader: LogReader,
    after: int,
    highest: dict[tuple[int, str], int],
    report: Callable[[int], None],
) -> int:
    while batch := reader.after(conn, after, limit=_BATCH):
        after = batch[-1].position
        with conn.cursor().copy("COPY staged_rows (kind, scope, key, value, held) FROM STDIN") as sink:
            for recorded in batch:
                for row in _index_rows(recorded, highest):
                    sink.write_row(row)
        report(after)
    return after


def _index_rows(recorded: RecordedEvent, highest: dict[tuple[int, str], int]) -> Iterator[IndexRow]:
    if recorded.state is None:
        return
    event, indexes = recorded.event, write_indexes()
    if numbered := indexes.numbered.get(type(event)):
        scope = 0 if numbered.everywhere else recorded.business_id or 0
        _raise(highest, (scope, numbered.counter), numbered.public_id(event))
        return
    for row in indexes.rows[type(event)](recorded, event):
        if row.kind in indexes.counters:
            _raise(highest, (row.scope, indexes.counters[row.kind]), row.value)
        yield row


def _raise(highest: dict[tuple[int, str], int], counter: tuple[int, str], value: int) -> None:
    highest[counter] = max(highest.get(counter, 0), value)
