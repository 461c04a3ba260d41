"""Preview: what would change under other rules; the log is replayed with them into a scratch generation.

Each business is replayed to exactly the position of its serving rows, so that the rules alone make the difference. The
registered effects are computed for every business whose rows would differ. Nothing that serves is changed.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection

from projections.engine.deltas import Table
from projections.engine.derivation import BOOKKEEPING
from projections.engine.effects import EffectChange
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
from projections.operations.verify import businesses_of, next_group
from projections.registry import EFFECTS
from shared.eventstore.reader import LogReader
from shared.postgres.generation_states import GenerationState
from shared.runtime.business_day import date_of

_SHOWN = 1_000


@dataclass
class Changes:
    """Numbers of rows and of those that would differ, by column; of text and booleans also by old and new value."""

    rows: int = 0
    changed: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    moves: Counter[tuple[str, object, object]] = field(default_factory=Counter)

    def add(self, other: "Changes") -> None:
        """Add other changes to these."""
        self.rows += other.rows
        self.changed += other.changed
        self.columns += other.columns
        self.moves += other.moves

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, the most frequent first."""
        moves = [
            {"column": column, "from": before, "to": after, "rows": rows}
            for (column, before, after), rows in self.moves.most_common()
        ]
        return {"rows": self.rows, "changed": self.changed, "columns": dict(self.columns.most_common()), "moves": moves}


@dataclass
class EffectPreview:
    """The changes of one effect: in total, by kind and level, and item by item for each business."""

    total: Changes = field(default_factory=Changes)
    by_business: dict[int, list[EffectChange]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, up to 1,000 businesses."""
        first = [*self.by_business.items()][:_SHOWN]
        by_business = [{"business_id": b, "changes": [change.as_json for change in found]} for b, found in first]
        return {**self.total.as_json(), "by_business": by_business}


@dataclass
class Previewed:
    """What would change under other rules: table -> changes, business -> table -> changes, effect -> changes."""

    projection: Projection
    request: OperationRequest
    generation: int = 0
    businesses: int = 0
    seconds: float = 0.0
    tables: dict[str, Changes] = field(default_factory=dict)
    by_business: dict[int, dict[str, Changes]] = field(default_factory=dict)
    effects: dict[str, EffectPreview] = field(
        default_factory=lambda: {effect.name: EffectPreview() for effect in EFFECTS}
    )

    @property
    def changed(self) -> int:
        """Return how many rows would change."""
        return sum(changes.changed for changes in self.tables.values())

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, up to 1,000 businesses, those with most changes first."""
        most = sorted(self.by_business.items(), key=lambda item: -sum(c.changed for c in item[1].values()))
        derivation = self.projection.derivation
        rules = derivation.book.as_json(self.request.rules) if derivation else {}
        return {
            "rules": {name: {"version": version, "parameters": values} for name, (version, values) in rules.items()},
            "businesses": self.businesses,
            "changed_businesses": len(self.by_business),
            "changed": self.changed,
            "seconds": round(self.seconds, 3),
            "tables": {table: changes.as_json() for table, changes in self.tables.items()},
            "by_business": [
                {"business_id": business, "tables": {table: changes.as_json() for table, changes in tables.items()}}
                for business, tables in most[:_SHOWN]
            ],
            **{name: effect.as_json() for name, effect in self.effects.items()},
        }

    def lines(self) -> Iterator[tuple[int | None, str, str, object, object, int]]:
        """Yield business (None: total), table, column, from, to, rows; for columns of many values only rows."""
        every: list[tuple[int | None, Mapping[str, Changes]]] = [
            (None, {**self.tables, **{name: effect.total for name, effect in self.effects.items()}}),
            *sorted(self.by_business.items()),
            *(
                (business, {name: _counted(found)})
                for name, effect in self.effects.items()
                for business, found in sorted(effect.by_business.items())
            ),
        ]
        for business, tables in every:
            for table, changes in tables.items():
                counted = {column for column, _, _ in changes.moves}
                for (column, before, after), rows in changes.moves.most_common():
                    yield business, table, column, before, after, rows
                for column, rows in changes.columns.most_common():
                    if column not in counted:
                        yield business, table, column, None, None, rows


def preview(
    source: Source,
    projection: Projection,
    request: OperationRequest,
    report: Callable[[Progress], None] = lambda _: None,
) -> Previewed:
    """Replay with the rules of `request` and return what would differ from the serving tables, which stay unchanged."""
    began = time.monotonic()
    found = Previewed(projection, request, tables={table.name: Changes() for table in derived(projection)})
    with closing(source.connect()) as conn, scratch_generation(conn, source, projection, request) as made:
        found.generation = made.generation
        recorder = ProgressRecorder(conn, made.generation, report)
        waiting = deque(businesses_of(conn, request.business))
        total = len(waiting)
        while waiting:
            found.businesses += _compare_next(conn, made, waiting, found)
            found.seconds = time.monotonic() - began
            folded = made.worker.folded.value
            recorder.record(Progress(GenerationState.REPLAYING, found.businesses, total, folded, found.seconds))
        recorder.complete(GenerationState.READY, found.as_json())
    return found


def derived(projection: Projection) -> tuple[Table, ...]:
    """Return the tables that depend on rules; none for most projections."""
    derivation = projection.derivation
    return derivation.tables if derivation and derivation.rules else ()


def _compare_next(conn: Connection[Any], made: ScratchGeneration, waiting: deque[int], found: Previewed) -> int:
    """Replay and compare the next businesses; returns their number."""
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
    _find_effects(made, live, {b: position for b, position in group.items() if b in found.by_business}, found)
    return len(group)


def _find_effects(made: ScratchGeneration, live: str, positions: Mapping[int, int], found: Previewed) -> None:
    """Compute the effects of some businesses; one whose serving rows have moved on meanwhile is left out."""
    conn = made.worker.conn
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        ((now,),) = conn.execute("SELECT now()").fetchall()
        for business, position in positions.items():
            if shown(conn, live, business) != position:
                continue
            today = LogReader.day(conn, position) or date_of(now)
            for effect in EFFECTS:
                items, changes = effect.find(conn, business, today, {made.projection.name: made.schema})
                if changes:
                    found.effects[effect.name].by_business[business] = changes
                found.effects[effect.name].total.add(_counted(changes, items))


def _counted(effects: list[EffectChange], items: int = 0) -> Changes:
    """Return the number of changed items, by kind and by level before and after."""
    return Changes(items, len(effects), moves=Counter((each.kind, each.before, each.after) for each in effects))


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
