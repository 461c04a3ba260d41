"""Verify: businesses are replayed into a scratch generation and compared with the tables that serve.

Serving tables are read in one snapshot with their positions, and each business is replayed to exactly its position, so
that live writes need not stop. Tables are compared by checksum, independent of the order of rows; only where one
differs are rows compared, by hash, and read as far as they are shown.
"""

import time
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from projections.engine.deltas import Table
from projections.engine.progress import ProgressRecorder
from projections.engine.projection import Projection
from projections.engine.replayer import Progress, Source
from projections.operations.scratch import OperationRequest, ScratchGeneration, scratch_generation, served, shown
from projections.operations.table_diff import Row, Side, keys_that_differ, rows_of_keys
from shared.eventstore.reader import BUSINESSES_IN, IS_GLOBAL, LogReader
from shared.postgres.generation_states import GenerationKind, GenerationState

_SHOWN = 100
_LOCATED = 10
_READ_AT_ONCE = 10_000
_GROUP_BUSINESSES = 64
_GROUP_EVENTS = 2_000
_ALL = OperationRequest(GenerationKind.VERIFY)

# Returns the number of rows of each business and a checksum that does not depend on their order. A row's hash is itself
# a sum over its columns: hashed once more, values that were swapped between rows do not cancel out.
CHECKSUMS = """SELECT business_id, count(*), sum(hashint8extended(hash_record_extended(t, 0), 0)) FROM {} AS t
    WHERE business_id = ANY(%s) GROUP BY business_id"""
# Returns the positions of a business's events that a projection reads, and of the global events.
SELECT_POSITIONS = SQL("""SELECT notification_id FROM log.events
    WHERE business_id = %(business)s AND topic = ANY(%(topics)s) AND notification_id <= %(upto)s
    UNION ALL SELECT notification_id FROM log.events WHERE {global_} AND notification_id <= %(upto)s
    ORDER BY 1""").format(global_=IS_GLOBAL)


@dataclass(frozen=True)
class Difference:
    """A row that differs between the serving table and the log; `live` or `replayed` is None where it is missing.

    `position`: the event since which the row is as replayed, 0 if no event ever made it, None if it was not searched.
    """

    table: str
    business_id: int
    key: Row
    live: Row | None
    replayed: Row | None
    position: int | None = None

    def masked(self, table: Table) -> dict[str, Any]:
        """Return it as JSON; values of private columns are replaced by a dot."""
        sides = {"live": self.live, "replayed": self.replayed}
        rows = {side: row and {c: _mask(v, c, table) for c, v in row.items()} for side, row in sides.items()}
        columns = [c for c in (self.live or {}) if self.replayed and self.replayed[c] != (self.live or {})[c]]
        return {
            "table": self.table,
            "business_id": self.business_id,
            "key": self.key,
            **rows,
            "columns": columns,
            "position": self.position,
        }


@dataclass
class Verified:
    """The result of a verification: replayed businesses and rows, and up to 100 rows that differ."""

    projection: str
    businesses: int = 0
    rows: int = 0
    differing: int = 0
    seconds: float = 0.0
    differences: list[Difference] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Tell whether the tables agree with the log."""
        return not self.differing

    def as_json(self, projection: Projection) -> dict[str, Any]:
        """Return it as JSON without personal data."""
        tables = {table.name: table for table in projection.tables}
        return {
            "equal": self.equal,
            "businesses": self.businesses,
            "rows": self.rows,
            "differing": self.differing,
            "seconds": round(self.seconds, 3),
            "differences": [d.masked(tables[d.table]) for d in self.differences],
        }


def verify(
    source: Source,
    projection: Projection,
    only: Sequence[int] | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    request: OperationRequest = _ALL,
) -> Verified:
    """Compare the serving tables with a replay of the log, without changing them.

    Verifies all businesses, including those that have rows but no history; or the one of `request`, or `only` some.
    """
    began = time.monotonic()
    found = Verified(projection.name)
    with closing(source.connect()) as conn, scratch_generation(conn, source, projection, request) as made:
        recorder = ProgressRecorder(conn, made.generation, report)
        waiting = deque(_chosen(conn, projection, request.business) if only is None else only)
        total = len(waiting)
        comparison = _Comparison(conn, made, found)
        while waiting:
            found.businesses += comparison.run(waiting)
            found.seconds = time.monotonic() - began
            recorder.record(
                Progress(GenerationState.REPLAYING, found.businesses, total, made.worker.folded.value, found.seconds)
            )
        recorder.complete(GenerationState.COMPLETED, found.as_json(projection))
    return found


def businesses_of(conn: Connection[Any], one: int | None) -> list[int]:
    """Return every business that has a history, or the given one."""
    return LogReader.businesses(conn) if one is None else [one]


def _chosen(conn: Connection[Any], projection: Projection, one: int | None) -> list[int]:
    """Return the given business, or every one that has a history or rows."""
    every = set(businesses_of(conn, one))
    if one is None:
        live = served(conn, projection)
        for table in projection.tables:
            rows = conn.execute(BUSINESSES_IN.format(table=Identifier(live, table.name))).fetchall()
            every.update(business for (business,) in rows)
    return sorted(every)


def next_group(
    conn: Connection[Any], made: ScratchGeneration, live: str, waiting: deque[int], *, events: int = _GROUP_EVENTS
) -> dict[int, int]:
    """Replay the next businesses to the positions of their serving rows; returns the positions."""
    made.empty()
    enough = made.worker.folded.value + events
    positions: dict[int, int] = {}
    while waiting and len(positions) < _GROUP_BUSINESSES and made.worker.folded.value < enough:
        business = waiting.popleft()
        positions[business] = shown(conn, live, business)
        made.worker.replay_to(business, positions[business])
    made.settle()
    return positions


def _mask(value: object, column: str, table: Table) -> object:
    return "•" if value and column in table.private else value


class _Comparison:
    """Compares a group of businesses at a time."""

    def __init__(self, conn: Connection[Any], made: ScratchGeneration, found: Verified) -> None:
        self._conn = conn
        self._scratch = made
        self._projection = made.projection
        self._found = found

    def run(self, waiting: deque[int]) -> int:
        """Replay and compare the next businesses, and add the differences to the result; returns their number."""
        with self._conn.transaction():
            self._conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            live = served(self._conn, self._projection)
            positions = next_group(self._conn, self._scratch, live, waiting)
            differences = self._compare(live, list(positions))
        for difference in differences:
            at = None
            if len(self._found.differences) < _LOCATED:
                at = self._since(difference, positions[difference.business_id])
            self._found.differences.append(replace(difference, position=at))
        return len(positions)

    def _compare(self, live: str, group: list[int]) -> list[Difference]:
        """Count the rows that differ and return those to show; both sides are summed at the same time."""
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self._checksums, self._scratch.worker.conn, self._scratch.schema, group)
            here, there = self._checksums(self._conn, live, group), waiting.result()
        self._found.rows += sum(count for sums in there.values() for count, _ in sums.values())
        shown_: list[Difference] = []
        for table in self._projection.tables:
            for business in group:
                if here[table.name].get(business) != there[table.name].get(business):
                    most = _SHOWN - len(self._found.differences) - len(shown_)
                    shown_ += self._rows_that_differ(table, live, business, most)
        return shown_

    def _checksums(self, conn: Connection[Any], schema: str, group: list[int]) -> dict[str, dict[int, tuple[int, Any]]]:
        """Return count and sum by table and business."""
        found: dict[str, dict[int, tuple[int, Any]]] = {}
        for table in self._projection.tables:
            rows = conn.execute(SQL(CHECKSUMS).format(Identifier(schema, table.name)), (group,)).fetchall()
            found[table.name] = {business: (count, total) for business, count, total in rows}
        return found

    def _rows_that_differ(self, table: Table, live: str, business: int, most: int) -> list[Difference]:
        """Count the rows of a business that differ and return the first `most` of them, by key."""
        here, there = Side(self._conn, live), self._scratch.side
        count, keys = keys_that_differ(table, business, here, there, most)
        self._found.differing += count
        old, new = rows_of_keys(table, here, keys), rows_of_keys(table, there, keys)
        return [
            Difference(table.name, business, dict(zip(table.keys, key, strict=True)), old.get(key), new.get(key))
            for key in keys
        ]

    def _since(self, difference: Difference, upto: int) -> int:
        """Return the event since which the replayed row is as it is, by bisection of the history."""
        if difference.replayed is None:
            return 0
        of = {"business": difference.business_id, "topics": [*self._projection.topics], "upto": upto}
        with self._conn.transaction(), self._conn.cursor("positions", binary=True) as cursor:
            cursor.itersize = _READ_AT_ONCE
            rows = cursor.execute(SELECT_POSITIONS, of)
            positions = array("q", (position for (position,) in rows))  # 8 bytes each: there may be a million
        first = bisect_left(positions, 1, key=lambda at: int(self._row_at(difference, at) == difference.replayed))
        return int(positions[min(first, len(positions) - 1)])

    def _row_at(self, difference: Difference, position: int) -> Row | None:
        self._scratch.replay({difference.business_id: position})
        (table,) = (t for t in self._projection.tables if t.name == difference.table)
        key = tuple(difference.key.values())
        return rows_of_keys(table, self._scratch.side, [key]).get(key)
