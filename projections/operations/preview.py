"""Preview: what would change if other rules held; the log replayed aside by them, and nothing that serves is touched.

Businesses are replayed to exactly where they stand, so that the rules alone make the difference. Every projection with
derived tables that go by rules takes part. Where rows would differ, today's rule of recommendations is run on either
side; nothing of that is recorded.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection

from projections.engine.deltas import Table
from projections.engine.derivation import BOOKKEEPING
from projections.engine.deriver import local_date
from projections.engine.progress import ProgressRecorder
from projections.engine.projection import Projection
from projections.engine.replayer import Progress, Source
from projections.operations.scratch import (
    OperationRequest,
    ScratchGeneration,
    rows_of,
    scratch_generation,
    served,
    shown,
)
from projections.operations.table_diff import Row
from projections.operations.verify import concerned, next_group
from shared.domain.readmodels.advice import advice, differences
from shared.domain.rules.registry import as_json
from shared.eventstore.reader import LogReader

_SHOWN = 1_000


@dataclass
class Changes:
    """How many rows there are and would differ, in which columns, and for words and yes or no: from what to what."""

    rows: int = 0
    changed: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    moves: Counter[tuple[str, object, object]] = field(default_factory=Counter)

    def add(self, other: "Changes") -> None:
        """Add up."""
        self.rows += other.rows
        self.changed += other.changed
        self.columns += other.columns
        self.moves += other.moves

    def told(self) -> dict[str, Any]:
        """Return it as JSON, the most frequent first."""
        moves = [
            {"column": column, "from": before, "to": after, "rows": rows}
            for (column, before, after), rows in self.moves.most_common()
        ]
        return {"rows": self.rows, "changed": self.changed, "columns": dict(self.columns.most_common()), "moves": moves}


@dataclass
class Previewed:
    """What other rules would change, by table and by business: table -> Changes, business -> table -> Changes.

    `advice`: what would be recommended today or no longer, by type and urgency; `advised`: the same of each business.
    """

    projection: str
    wish: OperationRequest
    generation: int = 0
    businesses: int = 0
    seconds: float = 0.0
    tables: dict[str, Changes] = field(default_factory=dict)
    by_business: dict[int, dict[str, Changes]] = field(default_factory=dict)
    advice: Changes = field(default_factory=Changes)
    advised: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """Return how many rows would change."""
        return sum(changes.changed for changes in self.tables.values())

    def told(self) -> dict[str, Any]:
        """Return it as JSON, up to 1,000 businesses in which most would change."""
        most = sorted(self.by_business.items(), key=lambda item: -sum(c.changed for c in item[1].values()))
        return {
            "rules": {name: {"version": v, "parameters": p} for name, (v, p) in as_json(self.wish.rules).items()},
            "businesses": self.businesses,
            "changed_businesses": len(self.by_business),
            "changed": self.changed,
            "seconds": round(self.seconds, 3),
            "tables": {table: changes.told() for table, changes in self.tables.items()},
            "by_business": [
                {"business_id": business, "tables": {table: changes.told() for table, changes in tables.items()}}
                for business, tables in most[:_SHOWN]
            ],
            "recommendations": {
                **self.advice.told(),
                "by_business": [
                    {"business_id": business, "changes": told} for business, told in [*self.advised.items()][:_SHOWN]
                ],
            },
        }

    def lines(self) -> Iterator[tuple[int | None, str, str, object, object, int]]:
        """Yield business (None: the sum), table, column, from, to, rows; where a column has many values, only rows."""
        every: list[tuple[int | None, Mapping[str, Changes]]] = [
            (None, {**self.tables, "recommendations": self.advice}),
            *sorted(self.by_business.items()),
            *((business, {"recommendations": _advised(told)}) for business, told in sorted(self.advised.items())),
        ]
        for business, tables in every:
            for table, changes in tables.items():
                told = {column for column, _, _ in changes.moves}
                for (column, before, after), rows in changes.moves.most_common():
                    yield business, table, column, before, after, rows
                for column, rows in changes.columns.most_common():
                    if column not in told:
                        yield business, table, column, None, None, rows


def preview(
    source: Source, projection: Projection, wish: OperationRequest, report: Callable[[Progress], None] = lambda _: None
) -> Previewed:
    """Replay by the rules of `wish` and return what would differ from the tables that serve; nothing changes there."""
    began = time.monotonic()
    found = Previewed(projection.name, wish, tables={table.name: Changes() for table in derived(projection)})
    with closing(source.connect()) as conn, scratch_generation(conn, source, projection, wish) as made:
        found.generation = made.generation
        account = ProgressRecorder(conn, made.generation, report)
        waiting = deque(concerned(conn, wish.business))
        total = len(waiting)
        while waiting:
            found.businesses += _look(conn, made, waiting, found)
            found.seconds = time.monotonic() - began
            account.tell(Progress("replaying", found.businesses, total, made.worker.folded.value, found.seconds))
        account.conclude("ready", found.told())
    return found


def derived(projection: Projection) -> tuple[Table, ...]:
    """Return the tables that rules make a difference to; none for most projections."""
    derivation = projection.derivation
    return derivation.tables if derivation and derivation.rules else ()


def _look(conn: Connection[Any], made: ScratchGeneration, waiting: deque[int], found: Previewed) -> int:
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        live = served(conn, made.projection)
        group = next_group(conn, made, live, waiting)
        for business in group:
            changed = {}
            for table in derived(made.projection):
                changes = _changes(table, rows_of(conn, live, table, business), made.rows(table, business))
                found.tables[table.name].add(changes)
                if changes.changed:
                    changed[table.name] = changes
            if changed:
                found.by_business[business] = changed
    _advise(made, live, {b: position for b, position in group.items() if b in found.by_business}, found)
    return len(group)


def _advise(made: ScratchGeneration, live: str, positions: Mapping[int, int], found: Previewed) -> None:
    """Find what would be recommended today by either side; a business that has gone on meanwhile is left out."""
    conn = made.worker.conn
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        ((now,),) = conn.execute("SELECT now()").fetchall()
        for business, position in positions.items():
            if shown(conn, live, business) != position:
                continue
            today = LogReader.day(conn, position) or local_date(now)
            before = advice(conn, business, today)
            after = advice(conn, business, today, {made.projection.name: made.schema}, before)
            if told := differences(before, after):
                found.advised[business] = told
            found.advice.add(_advised(told, len(after)))


def _advised(told: Iterable[Mapping[str, Any]], rows: int = 0) -> Changes:
    """Return recommendations that would come, go or change, counted by type and from which urgency to which."""
    changes = Changes(rows)
    for item in told:
        urgencies = (side and side["urgency"] for side in (item["from"], item["to"]))
        changes.changed += 1
        changes.moves[item["type"], *urgencies] += 1
    return changes


def _changes(table: Table, before: Mapping[Any, Row], after: Mapping[Any, Row]) -> Changes:
    changes = Changes(len(after))
    columns = [column for column in table.changes if column not in BOOKKEEPING]
    for key in before.keys() | after.keys():
        old, new = before.get(key, {}), after.get(key, {})
        differing = [column for column in columns if old.get(column) != new.get(column)]
        changes.changed += bool(differing) or not (old and new)
        changes.columns.update(differing)
        for column in differing:
            values = old.get(column), new.get(column)
            if all(value is None or isinstance(value, str | bool) for value in values):
                changes.moves[column, *values] += 1
    return changes
