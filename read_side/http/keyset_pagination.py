"""Keyset pagination: the order of a list, the statement that finds the keys of a page, and the JSON of the page."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import orjson
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from starlette.requests import Request

from read_side.http.rows import first_row
from shared.errors import InvalidPosition
from shared.http.app import Page, decode_cursor, encode_cursor, links
from shared.http.pagination import InvalidCursor, Scalar
from shared.http.position_tokens import PositionTokens

_LATEST = 2**63 - 1

Key = int | str | dt.datetime | None

# A page is a range of an index. For the rest of the transaction the planner must not sort a tenant's rows, which it
# prefers wherever its statistics make a large tenant look like an average one. With hardly any choice left, one generic
# plan serves all pages, without parallel workers. Columns of a list's first statement.
BY_INDEX = """set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true),
    set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
    set_config('plan_cache_mode', 'force_generic_plan', true),
    set_config('max_parallel_workers_per_gather', '0', true)"""
# The key and id of the page's last row as a JSON array, null if no row follows it.
LAST = """(SELECT json_build_array(key, id) FROM page
    WHERE n = %(limit)s AND EXISTS (SELECT FROM page WHERE n > %(limit)s))"""

# The `page` of a single row with the parameters `id` and `limit` (1).
ONE_PAGE = "page AS (SELECT %(id)s::bigint AS id, NULL::bigint AS key, 1 AS n)"


@dataclass(frozen=True, slots=True)
class Order:
    """One order of a list: by `column`, ties by id.

    `kind` is the type of the column: int, str or dt.datetime. If it is `nullable`, rows without a value come last in
    both orders: a customer who never bought is neither the one who came last nor the one who has been away the longest.
    """

    name: str
    column: str
    kind: type[int] | type[str] | type[dt.datetime]
    descending: bool
    nullable: bool = False

    @property
    def direction(self) -> str:
        """Return ASC or DESC."""
        return "DESC" if self.descending else "ASC"

    def cursor(self, key: Scalar, public_id: int) -> str:
        """Return the cursor after a row. Texts are left out of it, since they may be names of people."""
        return encode_cursor((self.name, self.descending, None if self.kind is str else key, public_id))

    def after(self, cursor: str) -> tuple[Key, int]:
        """Return key and id of the row before `cursor`; raises InvalidCursor if it was made for another order."""
        name, descending, key, public_id = decode_cursor(cursor, str, bool, object, int)
        if (name, descending) != (self.name, self.descending) or type(public_id) is not int:
            raise invalid_cursor()
        return self._key(key), public_id

    def _key(self, key: object) -> Key:
        if key is None and (self.nullable or self.kind is str):
            return None
        if self.kind is dt.datetime and isinstance(key, str):
            return _time(key)
        if self.kind is int and type(key) is int:
            return key
        raise invalid_cursor()


def invalid_cursor() -> InvalidCursor:
    """Return the refusal of a cursor that was not made for this list."""
    return InvalidCursor(details={"parameter": "cursor"})


def latest_position(positions: PositionTokens, business_id: int, page: Page) -> int:
    """Return the position before which the rows of a page were recorded; cursors are sealed like all positions.

    Raises InvalidCursor for a cursor of another shop or list.
    """
    if page.cursor is None:
        return _LATEST
    try:
        return positions.open(page.cursor, business_id)
    except InvalidPosition:
        raise invalid_cursor() from None


def _time(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise invalid_cursor() from None


@dataclass(frozen=True, slots=True)
class Start:
    """Where a page begins: after a row (its key and id), or after a number of rows."""

    order: Order
    offset: int = 0
    after: tuple[Key, int] | None = None

    @classmethod
    def of(cls, order: Order, page: Page) -> "Start":
        """Return where `page` begins; raises InvalidCursor."""
        return cls(order, page.offset, None if page.cursor is None else order.after(page.cursor))

    def parameters(self, limit: int) -> dict[str, Any]:
        """Return the parameters of `page` for at most `limit` rows."""
        key, public_id = self.after or (None, 0)
        return {"offset": self.offset, "limit": limit, "rows": limit + 1, "after": key, "after_id": public_id}

    def page(self, source: str, where: str) -> str:
        """Return WITH items that end in `page` (key, id, n): the keys of the page and one more row, n from 1.

        Their parameters are those of `source`, `where` and `parameters`.
        """
        way = self.order.direction
        numbered = f"SELECT key, id, row_number() OVER (ORDER BY key {way} NULLS LAST, id {way}) AS n FROM keys"  # noqa: S608 - no values
        return f"keys AS MATERIALIZED ({self._keys(source, where)}),\npage AS MATERIALIZED ({numbered})"

    def _keys(self, source: str, where: str) -> str:
        column, way = self.order.column, self.order.direction
        page = "OFFSET %(offset)s LIMIT %(rows)s"
        selects = [
            f"SELECT {column} AS key, id FROM {source} WHERE {where} {condition} ORDER BY {column} {way}, id {way}"  # noqa: S608 - values are parameters
            for condition in self.ranges()
        ]
        if len(selects) == 1:
            return f"{selects[0]} {page}"
        union = ") UNION ALL (".join(f"{select} LIMIT %(offset)s + %(rows)s" for select in selects)
        return f"SELECT key, id FROM (({union})) AS ranges ORDER BY key {way} NULLS LAST, id {way} {page}"  # noqa: S608 - no values

    def ranges(self) -> list[str]:
        """Return the conditions of the index ranges that the page may lie in.

        No comparison with NULL is true, so rows without a value are a range of their own; in a descending index they
        come first, in the list last.
        """
        column, beyond = self.order.column, "<" if self.order.descending else ">"
        without = f"AND {column} IS NULL"
        if self.after is None:
            apart = self.order.nullable and self.order.descending
            return [f"AND {column} IS NOT NULL", without] if apart else [""]
        if self.after[0] is None:
            return [f"{without} AND id {beyond} %(after_id)s"]
        rest = f"AND ({column}, id) {beyond} (%(after)s, %(after_id)s)"
        return [rest, without] if self.order.nullable else [rest]


async def with_text_key(conn: AsyncConnection[TupleRow], statement: str, business_id: int, start: Start) -> Start:
    """Return `start` with the text its cursor leaves out, selected by id with `statement`; raises InvalidCursor."""
    if start.after is None or start.order.kind is not str:
        return start
    row = await first_row(conn, statement, {"business": business_id, "after_id": start.after[1]})
    if row is None:
        raise invalid_cursor()
    return replace(start, after=(row[0], start.after[1]))


@dataclass(frozen=True, slots=True)
class Listed:
    """A page: the length of the whole list, its items or their JSON array, the cursor after it, and further data."""

    count: int
    results: str | list[dict[str, Any]]
    cursor: str | None
    more: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Listing:
    """A page: the length of the whole list, the rows as a JSON array, key and id of the last row if more follow."""

    count: int
    results: str
    last: tuple[Scalar, int] | None = None

    @classmethod
    def of(cls, count: int, results: str, last: str | None) -> "Listing":
        """Return a page from the columns of a statement; `last` is the JSON of LAST."""
        return cls(count, results, None if last is None else tuple(orjson.loads(last)))

    def listed(self, order: Order, **more: Any) -> Listed:  # noqa: ANN401 - JSON
        """Return the page with the cursor after it in this order."""
        cursor = None if self.last is None else order.cursor(*self.last)
        return Listed(self.count, self.results, cursor, more)


def only_item(results: str) -> str | None:
    """Return the item of a JSON array with at most one, None if it is empty."""
    return None if results == "[]" else results.strip()[1:-1]


def list_json(
    request: Request,
    page: Page,
    count: int,
    results: str | list[dict[str, Any]],
    cursor: str | None,
    **more: Any,  # noqa: ANN401 - JSON
) -> bytes:
    """Return count, next, previous, results, `more` and next_cursor as JSON.

    `results` are items, or their JSON array as text. `cursor` is that after the page's last row, None on the last page.
    """
    following, previous = links(request, page, count, next_cursor=cursor)
    items = results.encode() if isinstance(results, str) else orjson.dumps(results)
    head = orjson.dumps({"count": count, "next": following, "previous": previous})
    tail = orjson.dumps({**more, "next_cursor": cursor})
    return b"".join((head[:-1], b',"results":', items, b",", tail[1:]))
