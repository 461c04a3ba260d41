"""Executes one statement of a query and returns its rows."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.numeric import Int8


async def all_rows(conn: AsyncConnection[TupleRow], statement: str, parameters: Mapping[str, Any]) -> list[TupleRow]:
    """Return every row."""
    return await (await conn.execute(statement, _bound(parameters))).fetchall()


async def first_row(conn: AsyncConnection[TupleRow], statement: str, parameters: Mapping[str, Any]) -> TupleRow | None:
    """Return the first row, None if there is none."""
    return await (await conn.execute(statement, _bound(parameters))).fetchone()


async def only_row(conn: AsyncConnection[TupleRow], statement: str, parameters: Mapping[str, Any]) -> TupleRow:
    """Return the row of a statement that always has one; raises LookupError otherwise."""
    row = await first_row(conn, statement, parameters)
    if row is None:
        raise LookupError(statement)
    return row


def _bound(parameters: Mapping[str, Any]) -> dict[str, Any]:
    # Every integer is bound as bigint, so that a statement is prepared once and not once per size of number.
    return {name: Int8(value) if type(value) is int else value for name, value in parameters.items()}
