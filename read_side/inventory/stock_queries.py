"""Selects what an owner entered about a product's stock, with the stock after each entry."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.keyset_pagination import LAST, Listed, Order, Start
from read_side.http.rows import all_rows, first_row, only_row
from shared.domain.presentation.units import units
from shared.domain.rules.stock import Step, running
from shared.http.app import Page

_DAY = 86_400
_EPOCH = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - local time in Dhaka
BY_TIME = Order("at", "at", int, descending=True)
SELECT_PRODUCT = "SELECT 1 FROM products WHERE business_id = %(business)s AND id = %(product)s"
_OWN = "business_id = %(business)s AND product_id = %(product)s"
_FILTERS = {
    "first": "at >= (%(first)s::date - date '2000-01-01') * 86400::bigint",
    "last": "at < (%(last)s::date - date '2000-01-01' + 1) * 86400::bigint",
}
# Selects the entries of `page` in order.
SELECT_PAGE = """SELECT e.id, e.number, e.kind, e.quantity, e.at FROM page
    CROSS JOIN LATERAL (SELECT * FROM stock_log WHERE business_id = %(business)s AND id = page.id LIMIT 1) AS e
    WHERE n <= %(limit)s ORDER BY n"""
# Selects the number of all entries, and LAST.
SELECT_COUNT = f"SELECT (SELECT count(*) FROM stock_log WHERE {{where}}), {LAST}::text"  # noqa: S608 - constants
# Selects counts and changes from the last count before a time until another time. Changes by ledgers are looked up day
# by day, since their index begins with the day.
SELECT_STEPS = f"""WITH base AS (SELECT coalesce(max(at), %(since)s) AS at FROM stock_counts
        WHERE {_OWN} AND at <= %(since)s AND counts > 0)
    SELECT at, recorded, quantity, true, recorded FROM stock_counts
        WHERE {_OWN} AND counts > 0 AND at BETWEEN (SELECT at FROM base) AND %(until)s
    UNION ALL SELECT coalesce(at, told_at), coalesce(recorded, 0), moved - sold, false, greatest(-entry, 0)
        FROM stock_entries WHERE {_OWN} AND coalesce(at, told_at) BETWEEN (SELECT at FROM base) AND %(until)s
    UNION ALL SELECT f.day * {_DAY} + f.second, 0, f.moved - f.sold, false, 0
        FROM generate_series((SELECT at FROM base) / {_DAY}, %(until)s / {_DAY}) AS days (day)
        CROSS JOIN LATERAL (SELECT * FROM stock_flow WHERE business_id = %(business)s AND day = days.day
            AND product_id = %(product)s) AS f
        WHERE f.day * {_DAY} + f.second BETWEEN (SELECT at FROM base) AND %(until)s"""  # noqa: S608 - constants


class Entry(NamedTuple):
    """A row of SELECT_PAGE."""

    id: int
    number: int
    kind: str
    quantity: int
    at: int


async def product_exists(conn: AsyncConnection[TupleRow], business_id: int, product_id: int) -> bool:
    """Return whether the business has this product."""
    return await first_row(conn, SELECT_PRODUCT, {"business": business_id, "product": product_id}) is not None


async def read_stock(
    conn: AsyncConnection[TupleRow], business_id: int, product_id: int, filters: dict[str, Any], page: Page
) -> Listed:
    """Return a page of the entries of a product, latest first; raises InvalidCursor."""
    start = Start.of(BY_TIME, page)
    where = " AND ".join([_OWN, *(_FILTERS[name] for name in filters)])
    keys = f"WITH {start.page('stock_log', where)}\n"
    parameters = {"business": business_id, "product": product_id, **filters, **start.parameters(page.limit)}
    count, last = await only_row(conn, keys + SELECT_COUNT.format(where=where), parameters)
    entries = [Entry(*row) for row in await all_rows(conn, keys + SELECT_PAGE, parameters)]
    stock = await _stock_after(conn, parameters, entries)
    cursor = None if last is None else BY_TIME.cursor(*orjson.loads(last))
    return Listed(count, [_item(entry, stock.get(entry.id)) for entry in entries], cursor)


async def _stock_after(
    conn: AsyncConnection[TupleRow], parameters: dict[str, Any], entries: Sequence[Entry]
) -> dict[int, int | None]:
    if not entries:
        return {}
    period = {"since": min(entry.at for entry in entries), "until": max(entry.at for entry in entries)}
    return running(Step(*row) for row in await all_rows(conn, SELECT_STEPS, parameters | period))


def _item(entry: Entry, stock: int | None) -> dict[str, Any]:
    return {
        "id": entry.number,
        "kind": entry.kind,
        "quantity": units(entry.quantity),
        "at": (_EPOCH + dt.timedelta(seconds=entry.at)).isoformat() + "+06:00",
        "stock_after": None if stock is None else units(stock),
    }
