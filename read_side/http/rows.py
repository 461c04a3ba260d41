"""One statement, one row: what most queries of the read side are."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.numeric import Int8


async def row_or_none(
    conn: AsyncConnection[TupleRow], statement: str, parameters: Mapping[str, Any]
) -> TupleRow | None:
    """Return the first row of a statement's answer, if it has one."""
    return await (await conn.execute(statement, _bound(parameters))).fetchone()


async def rows_of(conn: AsyncConnection[TupleRow], statement: str, parameters: Mapping[str, Any]) -> list[TupleRow]:
    """Return all rows of a statement's answer."""
    return await (await conn.execute(statement, _bound(parameters))).fetchall()


async def only_row(conn: AsyncConnection[TupleRow], statement: str, parameters: Mapping[str, Any]) -> TupleRow:
    """Return the row of a statement that always has one."""
    row = await row_or_none(conn, statement, parameters)
    if row is None:
        raise LookupError(statement)
    return row


def _bound(parameters: Mapping[str, Any]) -> dict[str, Any]:
    # Every integer as bigint, so that a statement is prepared once and not once per size of number.
    return {name: Int8(value) if type(value) is int else value for name, value in parameters.items()}
