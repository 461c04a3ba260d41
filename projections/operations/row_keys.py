"""External row keys: the primary key without business_id, parts joined by commas."""

from typing import Any

from psycopg import Connection
from psycopg.errors import QueryCanceled
from psycopg.sql import SQL, Composed, Identifier

from projections.engine.deltas import Table
from projections.engine.projection import Projection
from projections.operations.scratch import served
from shared.eventstore.explanation import SearchTooSlow, SeveralBusinesses, UnknownRow

# The whole table is read, while other requests wait.
_SEARCH_SECONDS = 3.0
_CHOICES = 10
SELECT_BUSINESSES = "SELECT DISTINCT business_id FROM {} WHERE {} = %s LIMIT %s"


def only_business(conn: Connection[Any], projection: Projection, table: Table, key: str) -> int:
    """Return the only business that has a row of this key.

    Raises UnknownRow, SeveralBusinesses, or SearchTooSlow after three seconds.
    """
    statement = SQL(SELECT_BUSINESSES)
    address = Identifier(served(conn, projection), table.name)
    try:
        with conn.transaction():
            conn.execute(SQL("SET LOCAL statement_timeout = {}").format(int(_SEARCH_SECONDS * 1000)))
            rows = conn.execute(statement.format(address, name_of(table)), (key, _CHOICES)).fetchall()
    except QueryCanceled as error:
        raise SearchTooSlow from error
    found = sorted(business for (business,) in rows)
    if not found:
        raise UnknownRow(table.name, None, key)
    if len(found) > 1:
        raise SeveralBusinesses(found, more=len(found) == _CHOICES)
    return int(found[0])


def name_of(table: Table) -> Composed:
    """Return the SQL of a row's external key."""
    parts = [SQL("{}::text").format(Identifier(column)) for column in table.keys[1:]]
    return SQL("array_to_string(ARRAY[{}]::text[], ',')").format(SQL(", ").join(parts))
