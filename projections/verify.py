"""Verify: the log replayed aside and compared with the tables that serve, some businesses at a time.

They are read in one snapshot with the positions their tables show, and replayed to exactly these, so that verifying
goes on beside live writes. Tables are compared by checksum, whatever the order of their rows; only where one
differs are the rows themselves looked at.
"""

import multiprocessing
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from projections import generations
from projections.deltas import Table
from projections.projection import Projection
from projections.rebuild import SELECT_BUSINESSES, take_out
from projections.replay import Progress, Source, Worker
from projections.runner import connect
from shared.database import SHARDS
from shared.events.clock import DayOpened

_SHOWN = 100
_LOCATED = 10
_GROUP_BUSINESSES = 64
_GROUP_EVENTS = 2_000

# Returns how many rows each business has in a table, and a sum that does not depend on their order.
CHECKSUMS = """SELECT business_id, count(*), sum(hashtextextended(t::text, 0)) FROM {} AS t
    WHERE business_id = ANY(%s) GROUP BY business_id"""
# Returns the positions that a business's rows show: its shard's, or the one before what it is parked at.
SELECT_POSITION = """SELECT coalesce((SELECT position - 1 FROM {parked} WHERE business_id = %s), position)
    FROM {progress} WHERE shard = %s"""
# Returns the positions of a business's events that a projection reads.
SELECT_POSITIONS = """SELECT notification_id FROM log.events
    WHERE (business_id = %s OR business_id IS NULL) AND topic = ANY(%s) AND notification_id <= %s ORDER BY 1"""

Row = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """One row that the serving tables and the log disagree on; `live` or `replayed` is None where it is not there.

    `position`: the event since which the log has the row as replayed, 0 if no event ever made it; None where more rows
    differ than are looked into.
    """

    table: str
    business_id: int
    key: Row
    live: Row | None
    replayed: Row | None
    position: int | None = None


@dataclass
class Verified:
    """What a verification found: how many rows the log makes of so many businesses, and up to 100 that differ."""

    projection: str
    businesses: int = 0
    rows: int = 0
    differing: int = 0
    seconds: float = 0.0
    differences: list[Difference] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Tell whether the tables are what the log says."""
        return not self.differing


def verify(
    source: Source,
    projection: Projection,
    businesses: Sequence[int] | None = None,
    report: Callable[[Progress], None] = lambda _: None,
) -> Verified:
    """Compare what serves with a replay of the log, for some businesses or all; changes nothing that serves."""
    began = time.monotonic()
    found = Verified(projection.name)
    with connect(source.url, role=source.role) as conn, aside(conn, projection, "verify") as schema:
        todo = [b for (b,) in conn.execute(SELECT_BUSINESSES).fetchall()] if businesses is None else list(businesses)
        worker = Worker(source, projection.name, schema, 0, multiprocessing.Value("q", 0))
        with worker.conn:
            comparison = _Comparison(conn, worker, projection, schema, found)
            waiting = deque(todo)
            while waiting:
                found.businesses += comparison.run(waiting)
                found.seconds = time.monotonic() - began
                report(Progress("replaying", found.businesses, len(todo), worker.folded.value, found.seconds))
    return found


@contextmanager
def aside(conn: Connection[Any], projection: Projection, kind: str) -> Iterator[str]:
    """Lend a schema to replay into, locked against the dropping of what killed processes left."""
    with conn.transaction():
        generation, schema = generations.create(conn, projection, state="replaying", upto=0, kind=kind)
        conn.execute(generations.LOCK_GENERATION, (generation,))
    try:
        yield schema
    finally:
        generations.drop(conn, schema)


class _Comparison:
    """Some businesses at a time, as they stand and as the log makes them."""

    def __init__(
        self, conn: Connection[Any], worker: Worker, projection: Projection, schema: str, found: Verified
    ) -> None:
        self._conn = conn
        self._worker = worker
        self._projection = projection
        self._aside = schema
        self._found = found

    def run(self, waiting: deque[int]) -> int:
        """Replay the next businesses to where they stand and take down what differs; returns how many they were."""
        with self._conn.transaction():
            self._conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            serving = generations.live(self._conn, self._projection.name)
            if serving is None:
                raise LookupError(self._projection.name)
            positions = self._replay(waiting, serving[1])
            differing = [
                d for table in self._projection.tables for d in self._compare(table, serving[1], list(positions))
            ]
        self._found.differing += len(differing)
        for difference in differing[: _SHOWN - len(self._found.differences)]:
            at = None
            if len(self._found.differences) < _LOCATED:
                at = self._since(difference, positions[difference.business_id])
            self._found.differences.append(replace(difference, position=at))
        return len(positions)

    def _replay(self, waiting: deque[int], live: str) -> dict[int, int]:
        """Replay businesses until it is enough for one comparison; returns to which position each."""
        self._empty()
        enough = self._worker.folded.value + _GROUP_EVENTS
        statement = SQL(SELECT_POSITION).format(
            parked=Identifier(live, "parked"), progress=Identifier(live, "progress")
        )
        positions: dict[int, int] = {}
        while waiting and len(positions) < _GROUP_BUSINESSES and self._worker.folded.value < enough:
            business = waiting.popleft()
            row = self._conn.execute(statement, (business, business % SHARDS)).fetchone()
            positions[business] = cast("tuple[int]", row)[0]
            self._worker.replay_to(business, positions[business])
        take_out(self._worker.conn, self._projection, self._aside)
        return positions

    def _empty(self) -> None:
        names = [*(table.name for table in self._projection.tables), "replayed", "removed", "parked"]
        tables = SQL(", ").join(Identifier(self._aside, name) for name in names)
        self._worker.conn.execute(SQL("TRUNCATE {}").format(tables))

    def _compare(self, table: Table, live: str, businesses: list[int]) -> list[Difference]:
        here = self._checksums(self._conn, live, table, businesses)
        there = self._checksums(self._worker.conn, self._aside, table, businesses)
        self._found.rows += sum(count for count, _ in there.values())
        return [
            difference
            for business in sorted(b for b in here.keys() | there.keys() if here.get(b) != there.get(b))
            for difference in self._rows_that_differ(table, live, business)
        ]

    def _checksums(
        self, conn: Connection[Any], schema: str, table: Table, businesses: list[int]
    ) -> dict[int, tuple[int, Any]]:
        rows = conn.execute(SQL(CHECKSUMS).format(Identifier(schema, table.name)), (businesses,)).fetchall()
        return {business: (count, total) for business, count, total in rows}

    def _rows_that_differ(self, table: Table, live: str, business: int) -> Iterator[Difference]:
        old, new = (
            self._rows(self._conn, live, table, business),
            self._rows(self._worker.conn, self._aside, table, business),
        )
        for key in sorted((k for k in old.keys() | new.keys() if old.get(k) != new.get(k)), key=repr):
            yield Difference(table.name, business, dict(zip(table.keys, key, strict=True)), old.get(key), new.get(key))

    def _rows(self, conn: Connection[Any], schema: str, table: Table, business: int) -> dict[Any, Row]:
        statement = SQL("SELECT * FROM {} WHERE business_id = %s").format(Identifier(schema, table.name))
        with conn.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(statement, (business,)).fetchall()
        return {tuple(row[column] for column in table.keys): row for row in rows}

    def _since(self, difference: Difference, upto: int) -> int:
        """Return the event since which the log has a row as it has it now, by halving the history."""
        if difference.replayed is None:
            return 0
        topics = [*self._projection.topics, DayOpened.topic]
        rows = self._conn.execute(SELECT_POSITIONS, (difference.business_id, topics, upto)).fetchall()
        positions = [position for (position,) in rows]
        first = bisect_left(positions, 1, key=lambda at: int(self._row_at(difference, at) == difference.replayed))
        return cast("int", positions[min(first, len(positions) - 1)])

    def _row_at(self, difference: Difference, position: int) -> Row | None:
        self._empty()
        self._worker.replay_to(difference.business_id, position)
        take_out(self._worker.conn, self._projection, self._aside)
        (table,) = (t for t in self._projection.tables if t.name == difference.table)
        rows = self._rows(self._worker.conn, self._aside, table, difference.business_id)
        return rows.get(tuple(difference.key.values()))
