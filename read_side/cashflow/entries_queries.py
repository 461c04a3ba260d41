"""Selects pages of entries that have a date and an id, latest first: expenses, collections, opening debts."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import Field

from read_side.http.dated_query import DatedQuery
from read_side.http.keyset_pagination import Listed, invalid_cursor
from read_side.http.rows import only_row
from shared.http.app import Page, decode_cursor, encode_cursor

_LATEST = dt.date.max, 2**63 - 1
# Selects the entries of a page as a JSON array, latest first; date and id of the last one as a JSON array if more
# follow; and the number of all.
_SELECT_PAGE = """WITH page AS MATERIALIZED (
        SELECT *, row_number() OVER (ORDER BY date DESC, id DESC) AS n FROM (
            SELECT * FROM {table} WHERE {where} AND (date, id) < (%(date)s::date, %(id)s)
            ORDER BY date DESC, id DESC OFFSET %(offset)s LIMIT %(rows)s) AS rows)
    SELECT coalesce((SELECT json_agg(item) FROM (SELECT {item} FROM page AS e {joined}
            WHERE n <= %(limit)s ORDER BY n) AS item), '[]')::text,
        (SELECT json_build_array(date, id)::text FROM page
            WHERE n = %(limit)s AND EXISTS (SELECT FROM page WHERE n > %(limit)s)),
        (SELECT count(*) FROM {table} WHERE {where})"""
# The conditions of the filters. A customer's entries include those of customers merged into it.
_FILTERS = {
    "first": "date >= %(first)s",
    "last": "date <= %(last)s",
    "customer": """customer_id IN (SELECT %(customer)s UNION ALL SELECT id FROM baki_merges
        WHERE business_id = %(business)s AND customer_id = %(customer)s)""",
}
# The customer for whom an entry counts now, and the customer's name.
_CUSTOMER = "coalesce(m.customer_id, e.customer_id) AS customer_id, nullif(p.name, '') AS customer_name"
_JOINED = """LEFT JOIN baki_merges AS m ON m.business_id = e.business_id AND m.id = e.customer_id
    LEFT JOIN people AS p ON p.business_id = e.business_id AND p.id = coalesce(m.customer_id, e.customer_id)"""


@dataclass(frozen=True)
class Entries:
    """A table of entries: what is shown of an entry `e`, the condition that it is shown, and what is joined to it."""

    table: str
    item: str
    shown: str = "true"
    joined: str = ""


EXPENSES = Entries(
    "cash_expenses",
    "id, date, trim_scale(amount * 0.01) AS amount, category, recurring, ended_on",
    # An expense that does not recur and was ended has been removed.
    "date IS NOT NULL AND voided IS NULL AND (recurring IS NOT NULL OR ended_on IS NULL)",
)
COLLECTIONS = Entries(
    "collections", f"e.id, e.date, trim_scale(e.amount * 0.01) AS amount, {_CUSTOMER}", joined=_JOINED
)
OPENING_DEBTS = Entries(
    "opening_debts", f"e.id, e.kind, e.date, trim_scale(e.amount * 0.01) AS amount, {_CUSTOMER}", joined=_JOINED
)


class CustomerEntriesQuery(DatedQuery):
    """Filters of a list of entries of customers."""

    customer_id: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None

    def filters(self) -> dict[str, Any]:
        """Return the filters that are set; raises InvalidQuery as `period` does."""
        return self.period() | ({} if self.customer_id is None else {"customer": self.customer_id})


async def read_entries(
    conn: AsyncConnection[TupleRow], business_id: int, entries: Entries, filters: dict[str, Any], page: Page
) -> Listed:
    """Return a page of entries; raises InvalidCursor."""
    where = " AND ".join(["business_id = %(business)s", entries.shown, *(_FILTERS[name] for name in filters)])
    statement = _SELECT_PAGE.format(table=entries.table, item=entries.item, joined=entries.joined, where=where)
    date, public_id = _before(page)
    parameters = {
        "business": business_id,
        "date": date,
        "id": public_id,
        "offset": page.offset,
        "limit": page.limit,
        "rows": page.limit + 1,
        **filters,
    }
    results, last, count = await only_row(conn, statement, parameters)
    return Listed(count, results, last and encode_cursor(tuple(orjson.loads(last))))


def _before(page: Page) -> tuple[dt.date, int]:
    """Return date and id that the page begins after; raises InvalidCursor."""
    if page.cursor is None:
        return _LATEST
    date, public_id = decode_cursor(page.cursor, str, int)
    if type(public_id) is not int:
        raise invalid_cursor()
    try:
        return dt.date.fromisoformat(date), public_id
    except ValueError:
        raise invalid_cursor() from None
