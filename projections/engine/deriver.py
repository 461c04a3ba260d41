"""Derived tables: recomputed for a business after its events or a change of rules, and aged by the day for many."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

from projections.engine.books import Books
from projections.engine.deltas import Deltas, Table
from projections.engine.derivation import Derivation, Row
from projections.engine.projection import Projection
from projections.engine.writers import LiveWriter
from shared.eventstore.reader import LogReader
from shared.eventstore.rule_versions import Rules
from shared.postgres.database import SHARDS
from shared.runtime.business_day import date_of

if TYPE_CHECKING:
    from shared.eventstore.codec import RecordedEvent
    from shared.eventstore.system_events import DayOpened

_CHUNK = 20_000
# Selects the rows of shards, or of `only` one business, that time alone changes on or before a day.
SELECT_DUE = """SELECT {columns} FROM {table} WHERE next_change_on <= %(today)s
    AND business_id %% %(of)s = ANY(%(shards)s)
    AND CASE WHEN %(only)s::bigint IS NULL THEN business_id NOT IN (SELECT business_id FROM {parked})
        ELSE business_id = %(only)s END"""


class AsOf(NamedTuple):
    """What derived rows are computed from: the facts up to a position, the day and the rules."""

    position: int
    today: dt.date
    rules: Rules


def derivation_point(conn: Connection[Any], derivation: Derivation, business: int, upto: int) -> AsOf | None:
    """Return what a business's derived rows at a position are computed from; None if it has none yet."""
    last = LogReader.last(conn, business, [event.topic for event in derivation.after], upto)
    if last is None or last[0] < LogReader.erased(conn, business, upto):
        return None
    activations = LogReader.activations(conn, upto)
    changed = [position for position, activated in activations if activated.rule in derivation.rules]
    if derivation.age is not None:
        changed += LogReader.corrections(conn, upto)
    today = LogReader.day(conn, upto) or date_of(last[1])
    rules = derivation.book.in_force(activated for _, activated in activations)
    return AsOf(max([last[0], *changed]), today, rules)


def derivation_point_of_books(
    conn: Connection[Any], derivation: Derivation, business: int, upto: int, books: Books
) -> AsOf | None:
    """Return what the derived rows of a business's books are computed from, as `derivation_point` does."""
    reader, last = LogReader([event.topic for event in derivation.after]), 0
    after = LogReader.erased(conn, business, upto)
    while events := reader.of_business(conn, business, after, limit=_CHUNK, upto=upto):
        after = events[-1].position
        last = max([last, *(recorded.position for recorded in events if books.cut(recorded))])
    if not last:
        return None
    activations = LogReader.activations(conn, min(upto, books.rules_position))
    changed = [position for position, activated in activations if activated.rule in derivation.rules]
    rules = derivation.book.in_force(activated for _, activated in activations)
    return AsOf(max([last, *changed]), books.day, rules)


class Deriver:
    """Derives rows of one generation, in the caller's transaction."""

    def __init__(self, conn: Connection[Any], projection: Projection, schema: str, writer: LiveWriter) -> None:
        """Read facts over `conn` from `schema`, write with `writer`."""
        self._conn = conn
        self._schema = schema
        self._writer = writer
        self._derivation = cast("Derivation", projection.derivation)
        self.topics = frozenset(event.topic for event in self._derivation.after)

    def derive(self, business: int, position: int) -> None:
        """Recompute the derived rows of a business as of a position, unless it has none yet."""
        as_of = derivation_point(self._conn, self._derivation, business, position)
        if as_of is None:
            return
        deltas = Deltas(self._derivation.tables)
        facts = _StoredFacts(self._conn, self._schema, self._derivation, business, as_of.rules)
        self._derivation.derive(facts, as_of.today, as_of.rules, deltas)
        self._writer.replace(business, deltas)

    def businesses(self, shards: Sequence[int]) -> list[int]:
        """Return the businesses of some shards that are not parked."""
        statement = SQL("SELECT business_id FROM {}").format(Identifier(self._schema, "parked"))
        parked = {business for (business,) in self._conn.execute(statement).fetchall()}
        every = LogReader.businesses(self._conn)
        return [business for business in every if business % SHARDS in shards and business not in parked]

    def age(self, opened: "RecordedEvent", shards: Sequence[int], only: int | None = None) -> None:
        """Update the rows of some shards, or of one business, that a new day changes."""
        today = cast("DayOpened", opened.event).date
        age, due = self._derivation.age, self._derivation.due
        if age is None or due is None:
            return
        activations = LogReader.activations(self._conn, opened.position)
        rules = self._derivation.book.in_force(activated for _, activated in activations)
        # One scan of the table, however many rows are due; memory holds a chunk of them.
        with self._conn.cursor("due", binary=True) as cursor:
            cursor.execute(self._select_due(due), {"today": today, "of": SHARDS, "shards": list(shards), "only": only})
            while rows := cursor.fetchmany(_CHUNK):
                deltas = Deltas(self._derivation.tables)
                age(cast("Sequence[Row]", rows), today, rules, deltas)
                self._writer.write(deltas, whole=due)

    def _select_due(self, due: Table) -> Composed:
        return SQL(SELECT_DUE).format(
            columns=SQL(", ").join(map(Identifier, due.all_columns)),
            table=Identifier(self._schema, due.name),
            parked=Identifier(self._schema, "parked"),
        )


class _StoredFacts:
    """Facts read from the tables."""

    def __init__(
        self, conn: Connection[Any], schema: str, derivation: Derivation, business_id: int, rules: Rules
    ) -> None:
        self.business_id = business_id
        self._conn = conn
        self._schema = schema
        self._narrow = derivation.narrow
        self._params: dict[str, Any] = {"business": business_id}
        for rule in derivation.rules:
            chosen = derivation.book.settable(rule, rules[rule].parameters)
            self._params |= {f"{rule}.{parameter}": value for parameter, value in chosen.items()}

    def rows(self, table: Table) -> list[Row]:
        """Return every row of a merged table, except those that the derivation ignores."""
        statement = SQL("SELECT {} FROM {} WHERE business_id = %(business)s AND ({})").format(
            SQL(", ").join(map(Identifier, table.all_columns[1:])),
            Identifier(self._schema, table.name),
            SQL(self._narrow.get(table.name, "true").replace("{schema}", self._schema)),
        )
        with self._conn.cursor(binary=True) as cursor:
            return cursor.execute(statement, self._params).fetchall()
