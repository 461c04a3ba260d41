"""Write deltas to the tables of one generation: COPY for rows, one set-based statement per merged table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

from projections.engine.deltas import Deltas, Key, Table
from projections.engine.projection import Projection

Form = Callable[[Table, str, Mapping[str, str]], Composed]

# Returns the SQL type of each column of a table.
SELECT_TYPES = """SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = format('%%I.%%I', %s::text, %s::text)::regclass AND attnum > 0 AND NOT attisdropped"""


class LiveWriter:
    """Merges deltas into indexed tables, in the caller's transaction."""

    def __init__(self, conn: Connection[Any], schema: str) -> None:
        """Write over `conn` into the generation `schema`."""
        self._conn = conn
        self._schema = schema
        self._types: dict[str, dict[str, str]] = {}
        self._statements: dict[tuple[str, Form], bytes] = {}

    def write(self, deltas: Deltas, *, whole: Table | None = None) -> set[int]:
        """Write and empty the deltas; returns the businesses that rows were removed from.

        The rows of the table `whole` are complete and replace existing rows.
        """
        for table, rows in deltas.take_rows():
            copy(self._conn, Identifier(self._schema, table.name), table.all_columns, rows)
        for table, forgotten in deltas.take_forgotten():
            self._forget(table, forgotten)
        for table, merged in deltas.take_merged():
            if whole and table.name == whole.name:
                self._execute(table, merged, update_statement)
            else:
                self._merge(table, merged)
        businesses: set[int] = set()
        for table, keys in deltas.take_removed():
            self._delete(table, keys)
            businesses |= {key[0] for key in keys}
        return businesses

    def replace(self, business_id: int, deltas: Deltas) -> None:
        """Replace the business's rows in the merged tables of `deltas`; rows that are the same are not written."""
        fresh = {table.name: rows for table, rows in deltas.take_merged()}
        for table in deltas.tables:
            old = self._rows_of(table, business_id)
            width = len(table.keys)
            new = {row[:width]: row for row in fresh.get(table.name, ())}
            changed = [row for key, row in new.items() if old.get(key) != row]
            if changed and not old:
                copy(self._conn, Identifier(self._schema, table.name), table.all_columns, changed)
            elif changed:
                self._execute(table, changed, overwrite_statement)
            if gone := [key for key in old if key not in new]:
                self._delete(table, gone)

    def _merge(self, table: Table, rows: list[tuple[Any, ...]]) -> None:
        """Merge rows by the rules of their table; those that only say that a row exists change no existing one."""
        width = len(table.keys)
        changing = rows if table.sums else [row for row in rows if any(value is not None for value in row[width:])]
        if changing:
            zeros = self._execute(table, changing, merge_statement)
            if zeros:
                self._delete(table, zeros)
        if len(changing) < len(rows):
            self._execute(table, [row for row in rows if all(v is None for v in row[width:])], insert_missing_statement)

    def erase(self, business_id: int, tables: Iterable[Table]) -> None:
        """Delete every row of a business."""
        for table in tables:
            self._conn.execute(self._statement(table, erase_statement), (business_id,))

    def _rows_of(self, table: Table, business_id: int) -> dict[Key, tuple[Any, ...]]:
        with self._conn.cursor(binary=True) as cursor:
            rows = cursor.execute(self._statement(table, select_statement), (business_id,)).fetchall()
        return {row[: len(table.keys)]: row for row in rows}

    def _execute(self, table: Table, rows: Sequence[tuple[Any, ...]], form: Form) -> list[Key]:
        """Execute a statement over rows; returns the keys that it returns."""
        types = self._types_of(table)
        columns = zip(table.all_columns, zip(*rows, strict=True), strict=True)
        arrays = [_array(values, types[column]) for column, values in columns]
        done = self._conn.execute(self._statement(table, form), arrays)
        return done.fetchall() if done.description else []

    def _delete(self, table: Table, keys: Sequence[Key]) -> None:
        types = self._types_of(table)
        columns = zip(table.keys, zip(*keys, strict=True), strict=False)
        arrays = [_array(values, types[column]) for column, values in columns]
        self._conn.execute(self._statement(table, delete_statement), arrays)

    def _forget(self, table: Table, keys: Iterable[Key]) -> None:
        """Delete the rows whose keys begin with these."""
        types = self._types_of(table)
        for width, group in groupby(sorted(keys, key=len), key=len):
            short = replace(table, keys=table.keys[:width])
            columns = zip(short.keys, zip(*group, strict=True), strict=True)
            arrays = [_array(values, types[column]) for column, values in columns]
            self._conn.execute(delete_statement(short, self._schema, types), arrays)

    def _statement(self, table: Table, form: Form) -> bytes:
        """Return a statement of a table; cached."""
        if (table.name, form) not in self._statements:
            statement = form(table, self._schema, self._types_of(table))
            self._statements[table.name, form] = statement.as_bytes(self._conn)
        return self._statements[table.name, form]

    def _types_of(self, table: Table) -> dict[str, str]:
        if table.name not in self._types:
            self._types[table.name] = dict(self._conn.execute(SELECT_TYPES, (self._schema, table.name)).fetchall())
        return self._types[table.name]


class ReplayWriter:
    """Copies deltas of whole businesses into tables that have no indexes yet, in the caller's transaction."""

    def __init__(self, conn: Connection[Any], schema: str) -> None:
        """Write over `conn` into the generation `schema`."""
        self._conn = conn
        self._schema = schema

    def spill(self, deltas: Deltas) -> None:
        """Write and forget the rows so far; merged rows stay in memory until the business is done."""
        for table, rows in deltas.take_rows():
            copy(self._conn, Identifier(self._schema, table.name), table.all_columns, rows)

    def write(self, deltas: Deltas) -> None:
        """Write and empty the deltas of a completely folded business; removals are applied once indexes exist."""
        self.spill(deltas)
        for table, merged in deltas.take_merged():
            copy(self._conn, Identifier(self._schema, table.name), table.all_columns, merged)
        for table, keys in deltas.take_removed():
            rows = ((table.name, *key) for key in keys)
            copy(self._conn, Identifier(self._schema, "removed"), ("relation", "business_id", "id"), rows)


def copy(conn: Connection[Any], table: Identifier, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """COPY rows into a table."""
    statement = SQL("COPY {} ({}) FROM STDIN").format(table, SQL(", ").join(map(Identifier, columns)))
    with conn.cursor().copy(statement) as sink:
        for row in rows:
            sink.write_row(row)


def recompute_after_removal(
    conn: Connection[Any], projection: Projection, schema: str, businesses: Sequence[int]
) -> None:
    """Recompute the columns of other tables that depended on removed rows."""
    with conn.transaction():
        conn.execute("SELECT set_config('search_path', %s, true)", (schema,))
        conn.execute(projection.after_removal, {"businesses": list(businesses)})
        conn.execute("SELECT set_config('search_path', 'pg_catalog', true)")


def merge_statement(table: Table, schema: str, types: Mapping[str, str]) -> Composed:
    """Return the statement that merges rows, one array per column, by the table's rules.

    Of a table of sums it returns the keys of the rows whose sums are all 0 now.
    """
    merged = _insert(table, schema, types, table.changes)
    if not table.sums:
        return merged
    keys = SQL(", ").join(map(Identifier, table.keys))
    zeros = SQL(" AND ").join(SQL("t.{} = 0").format(Identifier(c)) for c in table.changes)
    return SQL(
        "WITH merged AS ({merged} RETURNING {own}, {zeros} AS zero) SELECT {keys} FROM merged WHERE zero"
    ).format(
        merged=merged,
        own=SQL(", ").join(SQL("t.{0}").format(Identifier(c)) for c in table.keys),
        zeros=zeros,
        keys=keys,
    )


def insert_missing_statement(table: Table, schema: str, types: Mapping[str, str]) -> Composed:
    """Return the statement that inserts rows, one array per column, whose keys do not exist yet."""
    return SQL("INSERT INTO {table} ({columns}) {rows} ON CONFLICT ({keys}) DO NOTHING").format(
        table=Identifier(schema, table.name),
        columns=SQL(", ").join(map(Identifier, table.all_columns)),
        rows=_rows(table, types),
        keys=SQL(", ").join(map(Identifier, table.keys)),
    )


def overwrite_statement(table: Table, schema: str, types: Mapping[str, str]) -> Composed:
    """Return the statement that inserts rows, one array per column, or replaces existing ones."""
    return _insert(table, schema, types, dict.fromkeys(table.changes, "overwrite"))


def update_statement(table: Table, schema: str, types: Mapping[str, str]) -> Composed:
    """Return the statement that replaces existing rows, one array per column."""
    return SQL("UPDATE {table} AS t SET {changes} FROM ({rows}) AS f WHERE {same}").format(
        table=Identifier(schema, table.name),
        changes=SQL(", ").join(SQL("{0} = f.{0}").format(Identifier(c)) for c in table.changes),
        rows=_rows(table, types),
        same=SQL(" AND ").join(SQL("t.{0} = f.{0}").format(Identifier(c)) for c in table.keys),
    )


def _insert(table: Table, schema: str, types: Mapping[str, str], rules: Mapping[str, str]) -> Composed:
    return SQL("INSERT INTO {table} AS t ({columns}) {rows} ON CONFLICT ({keys}) DO UPDATE SET {changes}").format(
        table=Identifier(schema, table.name),
        columns=SQL(", ").join(map(Identifier, table.all_columns)),
        rows=_rows(table, types),
        keys=SQL(", ").join(map(Identifier, table.keys)),
        changes=SQL(", ").join(_assignment(column, rule) for column, rule in rules.items()),
    )


def _rows(table: Table, types: Mapping[str, str]) -> Composed:
    """Return a query of rows that are passed as one array per column."""
    return SQL("SELECT {values} FROM unnest({arrays}) AS f ({columns})").format(
        values=SQL(", ").join(SQL("f.{0}::" + types[c] + " AS {0}").format(Identifier(c)) for c in table.all_columns),
        arrays=SQL(", ").join(SQL(f"%s::{_passed_as(types[c])}[]") for c in table.all_columns),
        columns=SQL(", ").join(map(Identifier, table.all_columns)),
    )


def select_statement(table: Table, schema: str, _: Mapping[str, str]) -> Composed:
    """Return the query of a business's rows."""
    columns = SQL(", ").join(map(Identifier, table.all_columns))
    return SQL("SELECT {} FROM {} WHERE business_id = %s").format(columns, Identifier(schema, table.name))


def erase_statement(table: Table, schema: str, _: Mapping[str, str]) -> Composed:
    """Return the statement that deletes a business's rows."""
    return SQL("DELETE FROM {} WHERE business_id = %s").format(Identifier(schema, table.name))


def delete_statement(table: Table, schema: str, types: Mapping[str, str]) -> Composed:
    """Return the statement that deletes rows by key, one array per key column."""
    keys = SQL(", ").join(map(Identifier, table.keys))
    arrays = SQL(", ").join(SQL(f"%s::{types[c]}[]") for c in table.keys)
    return SQL("DELETE FROM {table} WHERE ({keys}) IN (SELECT * FROM unnest({arrays}))").format(
        table=Identifier(schema, table.name), keys=keys, arrays=arrays
    )


def _array(values: Iterable[Any], sql_type: str) -> str:
    """Return values as the text of an array: half the time of adapting a list."""
    if sql_type.endswith("[]"):  # unnest flattens arrays of arrays: pass them as text
        texts = ["NULL" if v is None else '"{' + ",".join(map(str, v)) + '}"' for v in values]
    elif sql_type == "text":
        texts = ["NULL" if v is None else '"' + v.replace("\\", r"\\").replace('"', r"\"") + '"' for v in values]
    else:
        texts = ["NULL" if v is None else str(v) for v in values]
    return "{" + ",".join(texts) + "}"


def _passed_as(sql_type: str) -> str:
    return "text" if sql_type.endswith("[]") else sql_type


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
    "overwrite": "{c} = excluded.{c}",
}
