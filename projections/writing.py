"""How deltas reach the tables of one generation: COPY for rows, one set-based statement per merged table."""

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

from projections.deltas import Deltas, Table

# Returns the SQL type of each column of a table.
SELECT_TYPES = """SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = format('%%I.%%I', %s::text, %s::text)::regclass AND attnum > 0 AND NOT attisdropped"""


class LiveWriter:
    """Merges deltas into indexed tables, in the caller's transaction."""

    def __init__(self, conn: Connection[Any], schema: str) -> None:
        """Write over `conn` into the generation `schema`."""
        self._conn = conn
        self._schema = schema
        self._merge: dict[str, Composed] = {}

    def write(self, deltas: Deltas) -> None:
        """Write and empty the deltas."""
        for table, rows in deltas.take_rows():
            copy(self._conn, Identifier(self._schema, table.name), table.all_columns, rows)
        for table, merged in deltas.take_merged():
            columns = [list(column) for column in zip(*merged, strict=True)]
            self._conn.execute(self._statement(table), columns)

    def _statement(self, table: Table) -> Composed:
        if table.name not in self._merge:
            types = dict(self._conn.execute(SELECT_TYPES, (self._schema, table.name)).fetchall())
            self._merge[table.name] = merge_statement(table, self._schema, types)
        return self._merge[table.name]


class ReplayWriter:
    """Copies deltas of whole businesses into tables that have no indexes yet, in the caller's transaction."""

    def __init__(self, conn: Connection[Any], schema: str) -> None:
        """Write over `conn` into the generation `schema`."""
        self._conn = conn
        self._schema = schema

    def spill(self, deltas: Deltas) -> None:
        """Write and forget the rows so far; sums stay in memory until the business is done."""
        for table, rows in deltas.take_rows():
            copy(self._conn, Identifier(self._schema, table.name), table.all_columns, rows)

    def write(self, deltas: Deltas) -> None:
        """Write and empty the deltas of a business whose history ends here."""
        self.spill(deltas)
        for table, merged in deltas.take_merged():
            copy(self._conn, Identifier(self._schema, table.name), table.all_columns, merged)


def copy(conn: Connection[Any], table: Identifier, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """COPY rows into a table."""
    statement = SQL("COPY {} ({}) FROM STDIN").format(table, SQL(", ").join(map(Identifier, columns)))
    with conn.cursor().copy(statement) as sink:
        for row in rows:
            sink.write_row(row)


def merge_statement(table: Table, schema: str, types: Mapping[str, str]) -> Composed:
    """Return the statement that merges changes, one array per column, by the table's rules."""
    arrays = [SQL(f"%b::{types[column]}[]") for column in table.all_columns]
    return SQL(
        "INSERT INTO {table} AS t ({columns}) SELECT * FROM unnest({arrays})"
        " ON CONFLICT ({keys}) DO UPDATE SET {changes}"
    ).format(
        table=Identifier(schema, table.name),
        columns=SQL(", ").join(map(Identifier, table.all_columns)),
        arrays=SQL(", ").join(arrays),
        keys=SQL(", ").join(map(Identifier, table.keys)),
        changes=SQL(", ").join(_assignment(column, rule) for column, rule in table.changes.items()),
    )


def _assignment(column: str, rule: str) -> Composed:
    template = _ASSIGNMENTS[rule.split(":", maxsplit=1)[0]]
    by = Identifier(rule.partition(":")[2] or column)
    return SQL(template).format(c=Identifier(column), by=by)


_ASSIGNMENTS = {
    "add": "{c} = t.{c} + excluded.{c}",
    "set": "{c} = coalesce(excluded.{c}, t.{c})",
    "least": "{c} = least(t.{c}, excluded.{c})",
    "greatest": "{c} = greatest(t.{c}, excluded.{c})",
    "latest": "{c} = CASE WHEN excluded.{by} >= t.{by} OR (t.{by} IS NULL AND excluded.{by} IS NOT NULL)"
    " THEN excluded.{c} ELSE t.{c} END",
}
