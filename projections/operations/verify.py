"""Verify: the log replayed aside and compared with the tables that serve, some businesses at a time.

They are read in one snapshot with the positions their tables show, and replayed to exactly these, so that verifying
goes on beside live writes. Tables are compared by checksum, whatever the order of their rows; only where one
differs are the rows themselves looked at, by their hashes, and read only as far as they are shown.
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
from shared.eventstore.reader import IS_GLOBAL, LogReader

_SHOWN = 100
_LOCATED = 10
_READ_AT_ONCE = 10_000
_GROUP_BUSINESSES = 64
_GROUP_EVENTS = 2_000
_WISH = OperationRequest("verify")

# Returns how many rows each business has in a table, and a sum that does not depend on their order. A row's hash is
# itself a sum over its columns: hashed once more, cells that changed places between rows do not cancel out.
CHECKSUMS = """SELECT business_id, count(*), sum(hashint8extended(hash_record_extended(t, 0), 0)) FROM {} AS t
    WHERE business_id = ANY(%s) GROUP BY business_id"""
# Returns every business that has rows in a table, found by skipping through its key.
SELECT_THERE = """WITH RECURSIVE b AS (
        SELECT min(business_id) AS id FROM {table}
        UNION ALL
        SELECT (SELECT min(t.business_id) FROM {table} t WHERE t.business_id > b.id) FROM b WHERE b.id IS NOT NULL
    ) SELECT id FROM b WHERE id IS NOT NULL"""
# Returns the positions of a business's events that a projection reads, and of those that are part of every history.
SELECT_POSITIONS = SQL("""SELECT notification_id FROM log.events
    WHERE business_id = %(business)s AND topic = ANY(%(topics)s) AND notification_id <= %(upto)s
    UNION ALL SELECT notification_id FROM log.events WHERE {global_} AND notification_id <= %(upto)s
    ORDER BY 1""").format(global_=IS_GLOBAL)


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

    def masked(self, table: Table) -> dict[str, Any]:
        """Return it as JSON in which nobody can be recognised: of private columns it shows that they are filled."""
        sides = {"live": self.live, "replayed": self.replayed}
        told = {side: row and {c: _mask(v, c, table) for c, v in row.items()} for side, row in sides.items()}
        columns = [c for c in (self.live or {}) if self.replayed and self.replayed[c] != (self.live or {})[c]]
        return {
            "table": self.table,
            "business_id": self.business_id,
            "key": self.key,
            **told,
            "columns": columns,
            "position": self.position,
        }


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

    def told(self, projection: Projection) -> dict[str, Any]:
        """Return it as JSON in which nobody can be recognised."""
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
    wish: OperationRequest = _WISH,
) -> Verified:
    """Compare what serves with a replay of the log; changes nothing that serves.

    All businesses are looked at, with those that have rows and no history; or the one that `wish` names, or `only`
    some.
    """
    began = time.monotonic()
    found = Verified(projection.name)
    with closing(source.connect()) as conn, scratch_generation(conn, source, projection, wish) as made:
        account = ProgressRecorder(conn, made.generation, report)
        waiting = deque(_chosen(conn, projection, wish.business) if only is None else only)
        total = len(waiting)
        comparison = _Comparison(conn, made, found)
        while waiting:
            found.businesses += comparison.run(waiting)
            found.seconds = time.monotonic() - began
            account.tell(Progress("replaying", found.businesses, total, made.worker.folded.value, found.seconds))
        account.conclude("completed", found.told(projection))
    return found


def concerned(conn: Connection[Any], one: int | None) -> list[int]:
    """Return every business that has a history, or the one that is named."""
    return LogReader.businesses(conn) if one is None else [one]


def _chosen(conn: Connection[Any], projection: Projection, one: int | None) -> list[int]:
    """Return the business that is named, or every one that has a history, or rows that no event accounts for."""
    every = set(concerned(conn, one))
    if one is None:
        live = served(conn, projection)
        for table in projection.tables:
            rows = conn.execute(SQL(SELECT_THERE).format(table=Identifier(live, table.name))).fetchall()
            every.update(business for (business,) in rows)
    return sorted(every)


def next_group(
    conn: Connection[Any], made: ScratchGeneration, live: str, waiting: deque[int], *, events: int = _GROUP_EVENTS
) -> dict[int, int]:
    """Replay the next businesses to where they stand, enough of them for one look; returns to which positions."""
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
    """Some businesses at a time, as they stand and as the log makes them."""

    def __init__(self, conn: Connection[Any], made: ScratchGeneration, found: Verified) -> None:
        self._conn = conn
        self._aside = made
        self._projection = made.projection
        self._found = found

    def run(self, waiting: deque[int]) -> int:
        """Replay the next businesses to where they stand and take down what differs; returns how many they were."""
        with self._conn.transaction():
            self._conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            live = served(self._conn, self._projection)
            positions = next_group(self._conn, self._aside, live, waiting)
            differences = self._compare(live, list(positions))
        for difference in differences:
            at = None
            if len(self._found.differences) < _LOCATED:
                at = self._since(difference, positions[difference.business_id])
            self._found.differences.append(replace(difference, position=at))
        return len(positions)

    def _compare(self, live: str, group: list[int]) -> list[Difference]:
        """Count the rows that differ and return those to show; both sides are added up at once, a connection each."""
        with ThreadPoolExecutor(1) as beside:
            waiting = beside.submit(self._checksums, self._aside.worker.conn, self._aside.schema, group)
            here, there = self._checksums(self._conn, live, group), waiting.result()
        self._found.rows += sum(count for sums in there.values() for count, _ in sums.values())
        told: list[Difference] = []
        for table in self._projection.tables:
            for business in group:
                if here[table.name].get(business) != there[table.name].get(business):
                    most = _SHOWN - len(self._found.differences) - len(told)
                    told += self._rows_that_differ(table, live, business, most)
        return told

    def _checksums(self, conn: Connection[Any], schema: str, group: list[int]) -> dict[str, dict[int, tuple[int, Any]]]:
        """Return count and sum by table and business."""
        found: dict[str, dict[int, tuple[int, Any]]] = {}
        for table in self._projection.tables:
            rows = conn.execute(SQL(CHECKSUMS).format(Identifier(schema, table.name)), (group,)).fetchall()
            found[table.name] = {business: (count, total) for business, count, total in rows}
        return found

    def _rows_that_differ(self, table: Table, live: str, business: int, most: int) -> list[Difference]:
        """Count the rows of a business that differ and return the first `most` of them, by key."""
        here, there = Side(self._conn, live), self._aside.side
        count, keys = keys_that_differ(table, business, here, there, most)
        self._found.differing += count
        old, new = rows_of_keys(table, here, keys), rows_of_keys(table, there, keys)
        return [
            Difference(table.name, business, dict(zip(table.keys, key, strict=True)), old.get(key), new.get(key))
            for key in keys
        ]

    def _since(self, difference: Difference, upto: int) -> int:
        """Return the event since which the log has a row as it has it now, by halving the history."""
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
        self._aside.replay({difference.business_id: position})
        (table,) = (t for t in self._projection.tables if t.name == difference.table)
        key = tuple(difference.key.values())
        return rows_of_keys(table, self._aside.side, [key]).get(key)
