"""Derived tables as the live writer keeps them: made anew for one business, or aged by the day for many."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, cast
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

from projections.deltas import Deltas, Table
from projections.derivation import Derivation, Row
from projections.projection import Projection
from projections.writing import LiveWriter
from shared.database import SHARDS
from shared.event_codec import Recorded
from shared.event_store import LogReader

_DHAKA = ZoneInfo("Asia/Dhaka")
_CHUNK = 20_000


class Deriver:
    """Derives rows of one generation, in the caller's transaction."""

    def __init__(self, conn: Connection[Any], projection: Projection, schema: str, writer: LiveWriter) -> None:
        """Read facts over `conn` from `schema`, write by `writer`."""
        self._conn = conn
        self._schema = schema
        self._writer = writer
        self._derivation = cast("Derivation", projection.derivation)
        self.topics = frozenset(event.topic for event in self._derivation.after)

    def derive(self, recorded: Recorded) -> None:
        """Make the derived rows of a business anew, as of an event of its own."""
        business = cast("int", recorded.business_id)
        today = LogReader.day(self._conn, recorded.position) or local_date(recorded.recorded_at)
        deltas = Deltas(self._derivation.tables)
        facts = _StoredFacts(self._conn, self._schema, self._derivation, business, today)
        self._derivation.derive(facts, today, deltas)
        self._writer.replace(business, deltas)

    def age(self, today: dt.date, shards: Sequence[int]) -> None:
        """Touch the rows that a new day changes by itself, in the shards of the caller."""
        age, due = self._derivation.age, self._derivation.due
        if age is None or due is None:
            return
        # One look through the table, however many rows are due; memory holds a chunk of them.
        with self._conn.cursor("due", binary=True) as cursor:
            cursor.execute(self._select_due(due), (today, SHARDS, list(shards)))
            while rows := cursor.fetchmany(_CHUNK):
                deltas = Deltas(self._derivation.tables)
                age(cast("Sequence[Row]", rows), today, deltas)
                self._writer.write(deltas, standing=due)

    def _select_due(self, due: Table) -> Composed:
        return SQL("SELECT {} FROM {} WHERE next_change_on <= %s AND business_id %% %s = ANY(%s)").format(
            SQL(", ").join(map(Identifier, due.all_columns)), Identifier(self._schema, due.name)
        )


class _StoredFacts:
    """Facts as they stand in the tables."""

    def __init__(
        self, conn: Connection[Any], schema: str, derivation: Derivation, business_id: int, today: dt.date
    ) -> None:
        self.business_id = business_id
        self._conn = conn
        self._schema = schema
        self._narrow = derivation.narrow
        self._today = today

    def rows(self, table: Table) -> list[Row]:
        """Return every row of a merged table, less those that the derivation ignores anyway."""
        statement = SQL("SELECT {} FROM {} WHERE business_id = %(business)s AND ({})").format(
            SQL(", ").join(map(Identifier, table.all_columns[1:])),
            Identifier(self._schema, table.name),
            SQL(self._narrow.get(table.name, "true").replace("{schema}", self._schema)),
        )
        with self._conn.cursor(binary=True) as cursor:
            return cursor.execute(statement, {"business": self.business_id, "today": self._today}).fetchall()


def local_date(at: dt.datetime) -> dt.date:
    """Return the date in Dhaka at an instant."""
    return at.astimezone(_DHAKA).date()
