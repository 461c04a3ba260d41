"""Compares two tables of the same form row by row, over one connection each, in constant memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Identifier

from projections.engine.deltas import Key, Table
from projections.engine.writers import SELECT_TYPES

_READ_AT_ONCE = 2_000

# Returns key and hash of each of a business's rows, by key; text in byte order, as Python compares it.
SELECT_HASHES = "SELECT {keys}, hash_record_extended(t, 0) FROM {table} AS t WHERE business_id = %s ORDER BY {order}"
# Returns the rows of some keys, passed as one array per key column.
SELECT_ROWS = "SELECT * FROM {table} WHERE ({keys}) IN (SELECT * FROM unnest({arrays}))"

Row = dict[str, Any]
# A key, the number of the side and the hash of the row.
_Hashed = tuple[Key, int, int]


class Side(NamedTuple):
    """A generation, and a connection that sees its rows."""

    conn: Connection[Any]
    schema: str


def keys_that_differ(table: Table, business: int, here: Side, there: Side, most: int) -> tuple[int, list[Key]]:
    """Return how many of a business's rows differ between the sides, and the keys of the first `most` of them."""
    count, first = 0, list[Key]()
    with _hashed(table, business, here, 0) as ours, _hashed(table, business, there, 1) as theirs:
        for key, rows in groupby(merge(ours, theirs), key=itemgetter(0)):
            if _equal([*rows]):
                continue
            count += 1
            if len(first) < most:
                first.append(key)
    return count, first


def rows_of_keys(table: Table, side: Side, keys: Sequence[Key]) -> dict[Key, Row]:
    """Return the rows that some keys have on a side."""
    if not keys:
        return {}
    types = _types(table, side)
    statement = SQL(SELECT_ROWS).format(
        table=Identifier(side.schema, table.name),
        keys=SQL(", ").join(map(Identifier, table.keys)),
        arrays=SQL(", ").join(SQL(f"%s::{types[column]}[]") for column in table.keys),
    )
    with side.conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement, [[*parts] for parts in zip(*keys, strict=True)])
        return {tuple(row[column] for column in table.keys): row for row in rows}


@contextmanager
def _hashed(table: Table, business: int, side: Side, number: int) -> Iterator[Iterator[_Hashed]]:
    """Lend the rows of one side; a server-side cursor reads them as they are compared."""
    types = _types(table, side)
    statement = SQL(SELECT_HASHES).format(
        table=Identifier(side.schema, table.name),
        keys=SQL(", ").join(map(Identifier, table.keys)),
        order=SQL(", ").join(_ordered(column, types) for column in table.keys),
    )
    with side.conn.transaction(), side.conn.cursor("hashed", binary=True) as cursor:
        cursor.itersize = _READ_AT_ONCE
        cursor.execute(statement, (business,))
        yield ((row[:-1], number, row[-1]) for row in cursor)


def _ordered(column: str, types: Mapping[str, str]) -> Composable:
    return SQL('{} COLLATE "C"' if types[column] == "text" else "{}").format(Identifier(column))


def _types(table: Table, side: Side) -> dict[str, str]:
    return dict(side.conn.execute(SELECT_TYPES, (side.schema, table.name)).fetchall())


def _equal(rows: Sequence[_Hashed]) -> bool:
    """Tell whether the key has one row on each side, with equal hashes."""
    return [side for _, side, _ in rows] == [0, 1] and rows[0][2] == rows[1][2]
