"""Selects pages of transactions and the sums of all matching ones, without scanning the rows of a business."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.keyset_pagination import BY_INDEX, LAST, ONE_PAGE, Listing, Start, only_item
from read_side.http.rows import first_row, only_row
from read_side.sales.search_queries import OF_TEXT, Found, Search, find

# Up to this number of matches they are collected and sorted; more matches are soon met when reading an index in order.
_COLLECTED = 10_000
# From this offset on, whole days before the page are skipped by their sums.
_SKIPPED = 3_000

# Selects the number of matching sales, their sum net of returns and the returns in paisa from a rollup, and the
# settings of BY_INDEX.
SUM_UP = """SELECT coalesce(sum(sales), 0)::bigint, coalesce(sum(paisa), 0)::bigint,
        coalesce(sum(returned), 0)::bigint, {settings}
    FROM {rollup} WHERE {conditions}"""
# Selects the day of the row at the offset, and the number of rows before that day. The inner sort lets the scan stop
# there.
SELECT_DAY = """SELECT date, (through - sales)::bigint FROM
    (SELECT date, sales, sum(sales) OVER (ORDER BY date {direction}) AS through FROM
        (SELECT date, sum(sales)::bigint AS sales FROM {rollup} WHERE {conditions}
         GROUP BY date ORDER BY date {direction}) AS days) AS added
    WHERE through > %(offset)s ORDER BY date {direction} LIMIT 1"""
# The sums of each product over all days.
OF_PRODUCTS = "(SELECT business_id, id AS product_id, sales, paisa, returned FROM products) AS of_products"
# The conditions of the filters, on rollups and on rows.
OF_DAYS: dict[str, str] = {
    "business": "business_id = %(business)s",
    "product": "product_id = %(product)s",
    "payment": "payment_method = %(payment)s",
    "first": "date >= %(first)s",
    "last": "date <= %(last)s",
}
OF_ROWS: dict[str, str] = OF_DAYS | {
    "first": "sold_at >= %(first)s::date::timestamp",
    "last": "sold_at < (%(last)s::date + 1)::timestamp",
}
# The same conditions on rows, written so that no index on their columns is used.
ON_THE_WAY: dict[str, str] = OF_ROWS | {
    "payment": "payment_method || '' = %(payment)s",
    "first": "sold_at + interval '0' >= %(first)s::date::timestamp",
    "last": "sold_at + interval '0' < (%(last)s::date + 1)::timestamp",
}
# Selects the rows to sort if few transactions match.
COLLECT = "SELECT business_id, sold_at, paisa, id FROM transactions WHERE {conditions}"
# Taka per unit, `paisa` for `quantity` thousandths, rounded half to even; null for a quantity of 0.
_UNIT_PRICE = """trim_scale((t.paisa * 1000 / nullif(t.quantity, 0)
            + CASE sign(2 * (t.paisa * 1000 %% nullif(t.quantity, 0)) - t.quantity)
                WHEN 1 THEN 1 WHEN 0 THEN t.paisa * 1000 / nullif(t.quantity, 0) %% 2 ELSE 0 END) * 0.01)"""
# Selects the rows of `page` from a table as a JSON array in order, with some more columns, and LAST.
_SELECT_PAGE = f"""SELECT coalesce((SELECT json_agg(item) FROM (
    SELECT t.id, to_char(t.sold_at, 'YYYY-MM-DD"T"HH24:MI:SS"+06:00"') AS date, t.product_id,
        (SELECT name FROM products WHERE business_id = %(business)s AND id = t.product_id) AS product_name,
        trim_scale(t.quantity * 0.001) AS quantity, trim_scale(t.paisa * 0.01) AS amount,
        {_UNIT_PRICE} AS unit_price, coalesce((SELECT merged_into FROM buyers
            WHERE business_id = %(business)s AND id = t.customer_id), t.customer_id) AS customer_id,
        (SELECT nullif(coalesce(one.name, b.name), '') FROM buyers AS b
            LEFT JOIN buyers AS one ON (one.business_id, one.id) = (b.business_id, b.merged_into)
            WHERE b.business_id = %(business)s AND b.id = t.customer_id)
            AS customer_name, t.payment_method, {{more}}
    FROM page CROSS JOIN LATERAL
        (SELECT * FROM {{table}} WHERE business_id = %(business)s AND id = page.id LIMIT 1) AS t
    WHERE n <= %(limit)s ORDER BY n) AS item), '[]')::text, {LAST}::text"""  # noqa: S608 - constants
SELECT_SALES = _SELECT_PAGE.format(
    table="transactions", more="coalesce(t.source, 'csv') AS data_source, 'sale' AS kind"
)
SELECT_MOVEMENTS = _SELECT_PAGE.format(table="movements", more="'csv' AS data_source, t.kind, t.text AS description")
# Counts the matching movements (returns, purchases, expenses; few in any shop) and sums them up in paisa, with the
# settings of BY_INDEX.
COUNT_MOVEMENTS = """SELECT count(*), coalesce(sum(paisa), 0)::bigint, {settings}
    FROM movements WHERE {conditions}"""


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of transactions; None does not filter. `first` and `last` are business dates, both inclusive."""

    product_id: int | None = None
    payment_method: str | None = None
    first: dt.date | None = None
    last: dt.date | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the filters that are set, by the names in the conditions."""
        named = {
            "product": self.product_id,
            "payment": self.payment_method,
            "first": self.first,
            "last": self.last,
        }
        return {name: value for name, value in named.items() if value is not None}

    @property
    def sums(self) -> str:
        """Return the smallest rollup with the sums of these transactions."""
        named = self.parameters().keys()
        if not named:
            return "sales_totals"
        return OF_PRODUCTS if named == {"product"} else self.days

    @property
    def days(self) -> str:
        """Return the rollup with the sums of these transactions per day."""
        return "sales_days" if self.product_id is None else "product_days"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which transactions are wanted, and which page of them."""

    filters: Filters
    search: Search
    start: Start
    limit: int


class Sums(NamedTuple):
    """The number of matching transactions, their sum net of returns and the returns, both in paisa."""

    transactions: int
    paisa: int
    returned: int = 0

    @property
    def gross(self) -> int:
        """Return the sum before returns."""
        return self.paisa + self.returned


async def read_sales(conn: AsyncConnection[TupleRow], business_id: int, selection: Selection) -> tuple[Listing, Sums]:
    """Return a page of sales, and the sums of all that match, in the caller's transaction."""
    found = await find(conn, business_id, selection.search)
    if not found.is_everything:
        return await _read_found(conn, business_id, selection, found)
    filters, start, limit = selection.filters, selection.start, selection.limit
    sums = await _sums(conn, business_id, filters)
    if start.order.name == "date" and _SKIPPED <= start.offset < sums.transactions:
        filters, start = await _skip_days(conn, business_id, filters, start)
    parameters = {"business": business_id, **filters.parameters(), **start.parameters(limit)}
    statement = f"WITH {_page(filters, start, sums.transactions)}\n{SELECT_SALES}"
    results, last = await only_row(conn, statement, parameters)
    return Listing.of(sums.transactions, results, last), sums


async def read_movements(
    conn: AsyncConnection[TupleRow], business_id: int, kind: str, selection: Selection
) -> tuple[Listing, Sums]:
    """Return a page of movements of one kind, and the sums of all that match, in the caller's transaction."""
    filters, start, limit = selection.filters, selection.start, selection.limit
    found = await find(conn, business_id, selection.search)
    parameters = {"business": business_id, "kind": kind, **filters.parameters(), **found.parameters()}
    conditions = " AND ".join([_conditions(OF_ROWS, filters), "kind = %(kind)s", *found.conditions(OF_TEXT)])
    count = COUNT_MOVEMENTS.format(settings=BY_INDEX, conditions=conditions)
    movements, paisa, *_ = await only_row(conn, count, parameters)
    statement = f"WITH {start.page('movements', conditions)}\n{SELECT_MOVEMENTS}"
    results, last = await only_row(conn, statement, {**parameters, **start.parameters(limit)})
    return Listing.of(movements, results, last), Sums(movements, paisa)


async def read_sale(conn: AsyncConnection[TupleRow], business_id: int, transaction_id: int) -> str | None:
    """Return one sale as JSON, None if there is none with this id or it was voided."""
    wanted = {"business": business_id, "id": transaction_id, "limit": 1}
    found, _ = await only_row(conn, f"WITH {ONE_PAGE}\n{SELECT_SALES}", wanted)
    return only_item(found)


async def _read_found(
    conn: AsyncConnection[TupleRow], business_id: int, selection: Selection, found: Found
) -> tuple[Listing, Sums]:
    """Return a page of the sales that were found, and the sums of all of them."""
    filters, start, limit = selection.filters, selection.start, selection.limit
    parameters = {"business": business_id, **filters.parameters(), **found.parameters()}
    conditions, of_days = _conditions(OF_ROWS, filters), _conditions(OF_DAYS, filters)
    rollup = "product_days" if filters.parameters().keys() - {"product"} else OF_PRODUCTS
    parts = [await only_row(conn, each, parameters) for each in found.sums(conditions, rollup, of_days)]
    transactions, gross, returned = (sum(column) for column in zip(*parts, strict=True))
    if transactions > _COLLECTED:
        where = "\nAND ".join([_conditions(ON_THE_WAY, filters), *found.conditions()])
        page = start.page("transactions", where)
    else:
        matching = (
            f"SELECT DISTINCT business_id, sold_at, paisa, id FROM ({found.rows('transactions', conditions)}) AS t"  # noqa: S608 - values are parameters
        )
        page = f"matching AS MATERIALIZED ({matching}),\n{start.page('matching', OF_ROWS['business'])}"
    results, last = await only_row(conn, f"WITH {page}\n{SELECT_SALES}", parameters | start.parameters(limit))
    return Listing.of(transactions, results, last), Sums(transactions, gross - returned, returned)


async def _sums(conn: AsyncConnection[TupleRow], business_id: int, filters: Filters) -> Sums:
    parameters = filters.parameters()
    statement = SUM_UP.format(settings=BY_INDEX, rollup=filters.sums, conditions=_conditions(OF_DAYS, filters))
    transactions, paisa, returned, *_ = await only_row(conn, statement, {"business": business_id, **parameters})
    return Sums(transactions, paisa, returned)


async def _skip_days(
    conn: AsyncConnection[TupleRow], business_id: int, filters: Filters, start: Start
) -> tuple[Filters, Start]:
    """Return filters and start of the same page, limited to the days from its first row on."""
    conditions = _conditions(OF_DAYS, filters)
    statement = SELECT_DAY.format(direction=start.order.direction, rollup=filters.days, conditions=conditions)
    parameters = {"business": business_id, **filters.parameters(), "offset": start.offset}
    row = await first_row(conn, statement, parameters)
    if row is None:
        return filters, start
    day, skipped = row
    bounded = replace(filters, last=day) if start.order.descending else replace(filters, first=day)
    return bounded, replace(start, offset=start.offset - skipped)


def _page(filters: Filters, start: Start, count: int) -> str:
    """Return the WITH items of the page's keys.

    By date, every filter has an index in the order of the list, and by amount the sales of a product have one. Few
    other matches are collected and sorted; many are soon met when reading the index of all amounts in order.
    """
    if start.order.name == "date" or filters.product_id is not None or not filters.parameters():
        return start.page("transactions", _conditions(OF_ROWS, filters))
    if count > _COLLECTED:
        return start.page("transactions", _conditions(ON_THE_WAY, filters))
    matching = COLLECT.format(conditions=_conditions(OF_ROWS, filters))
    return f"matching AS MATERIALIZED ({matching}),\n{start.page('matching', OF_ROWS['business'])}"


def _conditions(of: dict[str, str], filters: Filters) -> str:
    return "\nAND ".join((of["business"], *(of[name] for name in filters.parameters())))
