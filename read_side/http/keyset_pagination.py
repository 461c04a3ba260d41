"""The order of a list, and the statement that finds the keys of one of its pages."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.rows import row_or_none
from shared.http.app import Page, decode_cursor, encode_cursor
from shared.http.pagination import InvalidCursor, Scalar

Key = int | str | dt.datetime | None

# A page is a stretch of an index. For the rest of the transaction the planner may not collect a tenant's rows to sort
# them, which it prefers wherever its statistics make a large tenant look like an average one. As that leaves it hardly
# a choice, it plans once and not for every page, and never for several processes. Columns of a list's first statement.
BY_INDEX = """set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true),
    set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
    set_config('plan_cache_mode', 'force_generic_plan', true),
    set_config('max_parallel_workers_per_gather', '0', true)"""
# Returns key and id of the page's last row as a JSON array, null if no row follows it.
LAST = """(SELECT json_build_array(key, id) FROM page
    WHERE n = %(limit)s AND EXISTS (SELECT FROM page WHERE n > %(limit)s))"""


@dataclass(frozen=True, slots=True)
class Order:
    """One order of a list: by `column`, ties by id.

    `kind` is what the column holds: int, str or dt.datetime. Where it is `nullable`, rows without a value come last
    upwards and first downwards, as the index has them.
    """

    name: str
    column: str
    kind: type[int] | type[str] | type[dt.datetime]
    descending: bool
    nullable: bool = False

    @property
    def way(self) -> str:
        """Return the direction in SQL."""
        return "DESC" if self.descending else "ASC"

    def cursor(self, key: Scalar, public_id: int) -> str:
        """Return the cursor that stands behind a row; it has no text in it, which may be a person's name."""
        return encode_cursor((self.name, self.descending, None if self.kind is str else key, public_id))

    def after(self, cursor: str) -> tuple[Key, int]:
        """Return key and id of the row that `cursor` stands behind; raises InvalidCursor if another order made it."""
        name, descending, key, public_id = decode_cursor(cursor, str, bool, object, int)
        if (name, descending) != (self.name, self.descending) or type(public_id) is not int:
            raise not_a_cursor()
        return self._key(key), public_id

    def _key(self, key: object) -> Key:
        if key is None and (self.nullable or self.kind is str):
            return None
        if self.kind is dt.datetime and isinstance(key, str):
            return _time(key)
        if self.kind is int and type(key) is int:
            return key
        raise not_a_cursor()


def not_a_cursor() -> InvalidCursor:
    """Return the refusal of a cursor that this list did not give."""
    return InvalidCursor(details={"parameter": "cursor"})


def _time(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise not_a_cursor() from None


@dataclass(frozen=True, slots=True)
class Start:
    """Where a page begins: after a row, or after so many rows from the beginning."""

    order: Order
    offset: int = 0
    after: tuple[Key, int] | None = None

    @classmethod
    def of(cls, order: Order, page: Page) -> "Start":
        """Return where `page` begins; raises InvalidCursor."""
        return cls(order, page.offset, None if page.cursor is None else order.after(page.cursor))

    def parameters(self, limit: int) -> dict[str, Any]:
        """Return what the statements here take for a page of at most `limit` rows."""
        key, public_id = self.after or (None, 0)
        return {"offset": self.offset, "limit": limit, "rows": limit + 1, "after": key, "after_id": public_id}

    def page(self, source: str, where: str) -> str:
        """Return WITH items that end in `page` (key, id, n): the page's keys, one more than asked for, n from 1.

        They take the parameters of `source` and `where`, and those of `parameters`.
        """
        way = self.order.way
        numbered = f"SELECT key, id, row_number() OVER (ORDER BY key {way}, id {way}) AS n FROM keys"  # noqa: S608
        return f"keys AS MATERIALIZED ({self._keys(source, where)}),\npage AS MATERIALIZED ({numbered})"

    def _keys(self, source: str, where: str) -> str:
        column, way = self.order.column, self.order.way
        stretches = [
            f"SELECT {column} AS key, id FROM {source} WHERE {where} {stretch}"  # noqa: S608  (values are parameters)
            f" ORDER BY {column} {way}, id {way} OFFSET %(offset)s LIMIT %(rows)s"
            for stretch in self.stretches()
        ]
        if len(stretches) == 1:
            return stretches[0]
        union = ") UNION ALL (".join(stretches)
        return f"SELECT key, id FROM (({union})) AS stretches ORDER BY key {way}, id {way} LIMIT %(rows)s"  # noqa: S608

    def stretches(self) -> list[str]:
        """Return the conditions of the stretches of the index that the page may lie in.

        No comparison with NULL is true, so rows without a value are a stretch of their own.
        """
        column, beyond = self.order.column, "<" if self.order.descending else ">"
        if self.after is None:
            return [""]
        if self.after[0] is None:
            rest = f"AND {column} IS NULL AND id {beyond} %(after_id)s"
            return [rest, f"AND {column} IS NOT NULL"] if self.order.descending else [rest]
        rest = f"AND ({column}, id) {beyond} (%(after)s, %(after_id)s)"
        return [rest, f"AND {column} IS NULL"] if self.order.nullable and not self.order.descending else [rest]


async def with_text(conn: AsyncConnection[TupleRow], statement: str, business_id: int, start: Start) -> Start:
    """Return `start` with the text that its cursor only points to, as `statement` finds it; raises InvalidCursor."""
    if start.after is None or start.order.kind is not str:
        return start
    row = await row_or_none(conn, statement, {"business": business_id, "after_id": start.after[1]})
    if row is None:
        raise not_a_cursor()
    return replace(start, after=(row[0], start.after[1]))
