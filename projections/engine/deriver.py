"""Derived tables: made anew for a business after its own events and where a rule changes, aged by the day for many."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

from projections.engine.deltas import Deltas, Table
from projections.engine.derivation import Derivation, Row
from projections.engine.projection import Projection
from projections.engine.writers import LiveWriter
from shared.domain.rules.registry import Rules, in_force, settable
from shared.eventstore.reader import LogReader
from shared.postgres.database import SHARDS

if TYPE_CHECKING:
    from shared.eventstore.codec import RecordedEvent
    from shared.eventstore.system_events import DayOpened

_DHAKA = ZoneInfo("Asia/Dhaka")
_CHUNK = 20_000


class AsOf(NamedTuple):
    """As of which position the facts count that rows are derived from, and on which day and by which rules they are."""

    position: int
    today: dt.date
    rules: Rules


def derivation_point(conn: Connection[Any], derivation: Derivation, business: int, upto: int) -> AsOf | None:
    """Return as of what a business's derived rows are at a position; None before anything called for them."""
    last = LogReader.last(conn, business, [event.topic for event in derivation.after], upto)
    if last is None:
        return None
    activations = LogReader.activations(conn, upto)
    changed = [position for position, activated in activations if activated.rule in derivation.rules]
    today = LogReader.day(conn, upto) or local_date(last[1])
    return AsOf(max([last[0], *changed]), today, in_force(activated for _, activated in activations))


class Deriver:
    """Derives rows of one generation, in the caller's transaction."""

    def __init__(self, conn: Connection[Any], projection: Projection, schema: str, writer: LiveWriter) -> None:
        """Read facts over `conn` from `schema`, write by `writer`."""
        self._conn = conn
        self._schema = schema
        self._writer = writer
        self._derivation = cast("Derivation", projection.derivation)
        self.topics = frozenset(event.topic for event in self._derivation.after)

    def derive(self, business: int, position: int) -> None:
        """Make the derived rows of a business anew, as of a position; none before anything called for them."""
        as_of = derivation_point(self._conn, self._derivation, business, position)
        if as_of is None:
            return
        deltas = Deltas(self._derivation.tables)
        facts = _StoredFacts(self._conn, self._schema, self._derivation, business, as_of.rules)
        self._derivation.derive(facts, as_of.today, as_of.rules, deltas)
        self._writer.replace(business, deltas)

    def businesses(self, shards: Sequence[int]) -> list[int]:
        """Return whom a change of rules concerns, in the shards of the caller: everyone who is not parked."""
        statement = SQL("SELECT business_id FROM {}").format(Identifier(self._schema, "parked"))
        parked = {business for (business,) in self._conn.execute(statement).fetchall()}
        every = LogReader.businesses(self._conn)
        return [business for business in every if business % SHARDS in shards and business not in parked]

    def age(self, opened: "RecordedEvent", shards: Sequence[int], only: int | None = None) -> None:
        """Touch the rows that a new day changes by itself, in the shards of the caller or of one business only."""
        today = cast("DayOpened", opened.event).date
        age, due = self._derivation.age, self._derivation.due
        if age is None or due is None:
            return
        rules = in_force(activated for _, activated in LogReader.activations(self._conn, opened.position))
        # One look through the table, however many rows are due; memory holds a chunk of them.
        with self._conn.cursor("due", binary=True) as cursor:
            cursor.execute(self._select_due(due), {"today": today, "of": SHARDS, "shards": list(shards), "only": only})
            while rows := cursor.fetchmany(_CHUNK):
                deltas = Deltas(self._derivation.tables)
                age(cast("Sequence[Row]", rows), today, rules, deltas)
                self._writer.write(deltas, standing=due)

    def _select_due(self, due: Table) -> Composed:
        return SQL(
            "SELECT {} FROM {} WHERE next_change_on <= %(today)s AND business_id %% %(of)s = ANY(%(shards)s)"
            " AND CASE WHEN %(only)s::bigint IS NULL THEN business_id NOT IN (SELECT business_id FROM {})"
            " ELSE business_id = %(only)s END"
        ).format(
            SQL(", ").join(map(Identifier, due.all_columns)),
            Identifier(self._schema, due.name),
            Identifier(self._schema, "parked"),
        )


class _StoredFacts:
    """Facts as they stand in the tables."""

    def __init__(
        self, conn: Connection[Any], schema: str, derivation: Derivation, business_id: int, rules: Rules
    ) -> None:
        self.business_id = business_id
        self._conn = conn
        self._schema = schema
        self._narrow = derivation.narrow
        self._params: dict[str, Any] = {"business": business_id}
        for rule in derivation.rules:
            chosen = settable(rule, rules[rule].parameters)
            self._params |= {f"{rule}.{parameter}": value for parameter, value in chosen.items()}

    def rows(self, table: Table) -> list[Row]:
        """Return every row of a merged table, less those that the derivation ignores anyway."""
        statement = SQL("SELECT {} FROM {} WHERE business_id = %(business)s AND ({})").format(
            SQL(", ").join(map(Identifier, table.all_columns[1:])),
            Identifier(self._schema, table.name),
            SQL(self._narrow.get(table.name, "true").replace("{schema}", self._schema)),
        )
        with self._conn.cursor(binary=True) as cursor:
            return cursor.execute(statement, self._params).fetchall()


def local_date(at: dt.datetime) -> dt.date:
    """Return the date in Dhaka at an instant."""
    return at.astimezone(_DHAKA).date()
