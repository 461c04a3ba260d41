"""Lists: the order of their rows, the statement that finds a page's keys, and the JSON around the page."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, LiteralString

import orjson
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.numeric import Int8
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from shared.http import Page, decode_cursor, encode_cursor, links
from shared.paging import InvalidCursor, Scalar

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
Key = int | str | dt.datetime | None

# A page is a stretch of an index: within this transaction the planner may not collect a tenant's rows and sort them,
# which it prefers wherever statistics make a large tenant look like an average one. Columns of a list's first statement.
BY_INDEX: LiteralString = """set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true),
    set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)"""


@dataclass(frozen=True, slots=True)
class Order:
    """One order of a list: by `column`, ties by id.

    `kind` is what the column holds (int, str or dt.datetime). Where `nullable`, rows without a value come last upwards
    and first downwards, as the index has them.
    """

    name: str
    column: LiteralString
    kind: type[int] | type[str] | type[dt.datetime]
    descending: bool
    nullable: bool = False

    def cursor(self, key: Scalar, public_id: int) -> str:
        """Return the cursor that stands behind a row; it names no text, which may be a person's name."""
        return encode_cursor((self.name, self.descending, None if self.kind is str else key, public_id))

    def after(self, cursor: str) -> tuple[Key, int]:
        """Return key and id of the row that `cursor` stands behind; raises InvalidCursor if another order made it."""
        name, descending, key, public_id = decode_cursor(cursor, str, bool, object, int)
        if (name, descending) != (self.name, self.descending) or type(public_id) is not int:
            raise InvalidCursor(details={"parameter": "cursor"})
        return self._key(key), public_id

    def _key(self, key: object) -> Key:
        if key is None and (self.nullable or self.kind is str):
            return None
        if self.kind is dt.datetime and isinstance(key, str):
            return _time(key)
        if type(key) is not self.kind:
            raise InvalidCursor(details={"parameter": "cursor"})
        return key  # type: ignore[return-value]  # its type is one of the three


def _time(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise InvalidCursor(details={"parameter": "cursor"}) from None


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

    def keys(self, source: LiteralString, where: LiteralString) -> LiteralString:
        """Return the SELECT of `key` and `id` of the page's rows, in order, one row more than the page has.

        It takes the parameters of `where` and those that `parameters` returns.
        """
        way: LiteralString = "DESC" if self.order.descending else "ASC"
        column = self.order.column
        arms = [
            "\n".join((
                "SELECT", column, "AS key, id FROM", source, "WHERE", where, arm,
                "ORDER BY", column, way, ", id", way, "OFFSET %(offset)s LIMIT %(rows)s",
            ))
            for arm in self._arms()
        ]  # fmt: skip
        if len(arms) == 1:
            return arms[0]
        return "\n".join((
            "SELECT key, id FROM ((", arms[0], ") UNION ALL (", arms[1], ")) AS arms",
            "ORDER BY key", way, ", id", way, "LIMIT %(rows)s",
        ))  # fmt: skip

    def _arms(self) -> list[LiteralString]:
        # A row comparison with NULL is never true, so the rows without a value are a stretch of the index of their own.
        column, beyond = self.order.column, "<" if self.order.descending else ">"
        if self.after is None:
            return [""]
        if self.after[0] is None:
            rest: LiteralString = f"AND {column} IS NULL AND id {beyond} %(after_id)s"
            return [rest, f"AND {column} IS NOT NULL"] if self.order.descending else [rest]
        rest = f"AND ({column}, id) {beyond} (%(after)s, %(after_id)s)"
        return [rest, f"AND {column} IS NULL"] if self.order.nullable and not self.order.descending else [rest]

    def parameters(self, limit: int) -> dict[str, Any]:
        """Return what `keys` takes for a page of at most `limit` rows."""
        key, public_id = self.after or (None, 0)
        return {"offset": self.offset, "limit": limit, "rows": limit + 1, "after": key, "after_id": public_id}


def numbered(keys: LiteralString, order: Order) -> LiteralString:
    """Return the WITH list that names the keys `page` (key, id, n), n counting from 1."""
    way: LiteralString = "DESC" if order.descending else "ASC"
    return "\n".join((
        "keys AS MATERIALIZED (", keys, "),",
        "page AS MATERIALIZED (SELECT key, id, row_number() OVER (ORDER BY key", way, ", id", way, ") AS n FROM keys)",
    ))  # fmt: skip


# Returns key and id of the page's last row as a JSON array, null if no row follows it.
LAST: LiteralString = """(SELECT json_build_array(key, id) FROM page
    WHERE n = %(limit)s AND EXISTS (SELECT FROM page WHERE n > %(limit)s))"""


def bound(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with every integer as bigint, so that a statement is prepared once, not once per size."""
    return {name: Int8(value) if type(value) is int else value for name, value in parameters.items()}


@dataclass(frozen=True, slots=True)
class Listing:
    """A page as it is answered: how many rows the whole list has, the page's rows as JSON, the last key if more follow."""

    count: int
    results: str
    last: tuple[Scalar, int] | None

    def answer(self, request: Request, page: Page, order: Order, **more: Any) -> bytes:  # noqa: ANN401 - JSON
        """Return the data of the envelope: count, next, previous, results, `more`, next_cursor."""
        cursor = None if self.last is None else order.cursor(*self.last)
        following, previous = links(request, page, self.count, next_cursor=cursor)
        head = orjson.dumps({"count": self.count, "next": following, "previous": previous})
        tail = orjson.dumps({**more, "next_cursor": cursor})
        return b"".join((head[:-1], b',"results":', self.results.encode(), b",", tail[1:]))


def empty() -> Listing:
    """Return a list without rows."""
    return Listing(0, "[]", None)


async def with_name(conn: AsyncConnection[TupleRow], statement: LiteralString, business_id: int, start: Start) -> Start:
    """Return `start` with the text that its cursor only points to, as `statement` finds it; raises InvalidCursor."""
    if start.after is None or start.order.kind is not str:
        return start
    parameters = {"business": business_id, "after_id": start.after[1]}
    row = await (await conn.execute(statement, bound(parameters))).fetchone()
    if row is None:
        raise InvalidCursor(details={"parameter": "cursor"})
    return replace(start, after=(row[0], start.after[1]))


def last_of(text: str | None) -> tuple[Scalar, int] | None:
    """Return key and id from what LAST returned."""
    if text is None:
        return None
    key, public_id = orjson.loads(text)
    return key, public_id


def _written_as_date(value: object) -> dt.date:
    # Numbers and times are no dates here, although the library would take them for some.
    try:
        return dt.date.fromisoformat(value if isinstance(value, str) and _DATE.fullmatch(value) else "")
    except ValueError:
        raise PydanticCustomError("date_parsing", "not a date") from None


PlainDate = Annotated[dt.date, BeforeValidator(_written_as_date)]
