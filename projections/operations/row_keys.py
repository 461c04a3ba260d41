"""How whoever asks names a row: by its key without the business, parts joined by commas."""

from typing import Any

from psycopg import Connection
from psycopg.errors import QueryCanceled
from psycopg.sql import SQL, Composed, Identifier

from projections.engine.deltas import Table
from projections.engine.projection import Projection
from projections.operations.scratch import served
from shared.errors import BusinessNeeded, InvalidQuery, RowNotFound

# The table is read whole, of all businesses, while others wait.
_SEARCH_SECONDS = 3.0
_CHOICES = 10


def only_business(conn: Connection[Any], projection: Projection, table: Table, key: str) -> int:
    """Return whose row a key names. Raises RowNotFound, InvalidQuery with the businesses to choose from if known."""
    statement = SQL("SELECT DISTINCT business_id FROM {} WHERE {} = %s LIMIT %s")
    address = Identifier(served(conn, projection), table.name)
    try:
        with conn.transaction():
            conn.execute(SQL("SET LOCAL statement_timeout = {}").format(int(_SEARCH_SECONDS * 1000)))
            rows = conn.execute(statement.format(address, name_of(table)), (key, _CHOICES)).fetchall()
    except QueryCanceled as error:
        raise BusinessNeeded(details={"parameter": "business_id"}) from error
    found = sorted(business for (business,) in rows)
    if not found:
        raise RowNotFound(details={"table": table.name, "id": key})
    if len(found) > 1:
        expected = ", ".join(map(str, found)) + (", …" if len(found) == _CHOICES else "")
        raise InvalidQuery(
            details={"parameter": "business_id", "expected": expected}, parameter="business_id", expected=expected
        )
    return int(found[0])


def name_of(table: Table) -> Composed:
    """Return what names a row among those of its business: its key without the business, parts joined by commas."""
    parts = [SQL("{}::text").format(Identifier(column)) for column in table.keys[1:]]
    return SQL("array_to_string(ARRAY[{}]::text[], ',')").format(SQL(", ").join(parts))
