"""Pages of transactions and what all matching ones add up to, found without scanning a tenant's rows."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.keyset_pagination import BY_INDEX, LAST, Start
from read_side.http.lists import Listing
from read_side.http.money import UNIT_PRICE
from read_side.http.rows import only_row, row_or_none

# Up to so many matches are collected and sorted; of more, those at the top are soon met on the way down.
_COLLECTED = 10_000
# From so many rows on, whole days before the page are skipped by their sums.
_SKIPPED = 3_000

# Returns how many sales match and their sum in paisa, from a rollup, and the settings of BY_INDEX.
SUM_UP = """SELECT coalesce(sum(sales), 0)::bigint, coalesce(sum(paisa), 0)::bigint, {settings}
    FROM {rollup} WHERE {conditions}"""
# Returns the day of the row at the offset, and how many rows of the list lie before that day. Sorted early, so that the
# days are met in the list's order and none after the one that is looked for.
SELECT_DAY = """SELECT date, (through - sales)::bigint FROM
    (SELECT date, sales, sum(sales) OVER (ORDER BY date {way}) AS through FROM
        (SELECT date, sum(sales)::bigint AS sales FROM {rollup} WHERE {conditions}
         GROUP BY date ORDER BY date {way}) AS days) AS added
    WHERE through > %(offset)s ORDER BY date {way} LIMIT 1"""
# What the books know of a whole product.
OF_PRODUCTS = "(SELECT business_id, id AS product_id, sales, paisa FROM products) AS of_products"
# The conditions by filter, in rollups and among the rows.
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
# The same conditions out of reach of the indexes that begin with their columns.
ON_THE_WAY: dict[str, str] = OF_ROWS | {
    "payment": "payment_method || '' = %(payment)s",
    "first": "sold_at + interval '0' >= %(first)s::date::timestamp",
    "last": "sold_at + interval '0' < (%(last)s::date + 1)::timestamp",
}
# Returns what there is to sort when few transactions match.
COLLECT = "SELECT business_id, paisa, id FROM transactions WHERE {conditions}"
# Returns the rows of `page` as a JSON array in order, and LAST.
SELECT_PAGE = f"""SELECT coalesce((SELECT json_agg(item) FROM (
    SELECT t.id, to_char(t.sold_at, 'YYYY-MM-DD"T"HH24:MI:SS"+06:00"') AS date, t.product_id,
        (SELECT name FROM products WHERE business_id = %(business)s AND id = t.product_id) AS product_name,
        trim_scale(t.quantity * 0.001) AS quantity, trim_scale(t.paisa * 0.01) AS amount,
        {UNIT_PRICE.format("t")} AS unit_price, t.customer_id,
        (SELECT nullif(coalesce(one.name, b.name), '') FROM buyers AS b
            LEFT JOIN buyers AS one ON (one.business_id, one.id) = (b.business_id, b.merged_into)
            WHERE b.business_id = %(business)s AND b.id = t.customer_id)
            AS customer_name, t.payment_method, coalesce(t.source, 'csv') AS data_source
    FROM page CROSS JOIN LATERAL
        (SELECT * FROM transactions WHERE business_id = %(business)s AND id = page.id LIMIT 1) AS t
    WHERE n <= %(limit)s ORDER BY n) AS item), '[]')::text, {LAST}::text"""  # noqa: S608  (constants)

# The page that holds one transaction.
ONE = "page AS (SELECT %(id)s::bigint AS id, NULL::bigint AS key, 1 AS n)"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which transactions; None lets all pass. `first` and `last` are business dates, both inclusive."""

    product_id: int | None = None
    payment_method: str | None = None
    first: dt.date | None = None
    last: dt.date | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the parameters that are set, by the names the conditions use."""
        named = {
            "product": self.product_id,
            "payment": self.payment_method,
            "first": self.first,
            "last": self.last,
        }
        return {name: value for name, value in named.items() if value is not None}

    @property
    def sums(self) -> str:
        """Return the smallest rollup that knows what these transactions add up to."""
        named = self.parameters().keys()
        if not named:
            return "sales_totals"
        return OF_PRODUCTS if named == {"product"} else self.days

    @property
    def days(self) -> str:
        """Return the rollup that knows the sums of these transactions day by day."""
        return "sales_days" if self.product_id is None else "product_days"


class Sums(NamedTuple):
    """How many transactions match, and what they add up to in paisa."""

    transactions: int
    paisa: int


async def read(
    conn: AsyncConnection[TupleRow], business_id: int, filters: Filters, start: Start, limit: int
) -> tuple[Listing, Sums]:
    """Return a page, and the sums of all transactions that match, in the caller's transaction."""
    sums = await _sums(conn, business_id, filters)
    if start.order.name == "date" and _SKIPPED <= start.offset < sums.transactions:
        filters, start = await _skip_days(conn, business_id, filters, start)
    parameters = {"business": business_id, **filters.parameters(), **start.parameters(limit)}
    statement = f"WITH {_page(filters, start, sums.transactions)}\n{SELECT_PAGE}"
    results, last = await only_row(conn, statement, parameters)
    return Listing.of(sums.transactions, results, last), sums


async def read_one(conn: AsyncConnection[TupleRow], business_id: int, transaction_id: int) -> str | None:
    """Return one transaction as JSON, None if there is none of this id or it was voided."""
    wanted = {"business": business_id, "id": transaction_id, "limit": 1}
    found, _ = await only_row(conn, f"WITH {ONE}\n{SELECT_PAGE}", wanted)
    return None if found == "[]" else found.strip()[1:-1]


async def _sums(conn: AsyncConnection[TupleRow], business_id: int, filters: Filters) -> Sums:
    parameters = filters.parameters()
    statement = SUM_UP.format(settings=BY_INDEX, rollup=filters.sums, conditions=_conditions(OF_DAYS, filters))
    transactions, paisa, *_ = await only_row(conn, statement, {"business": business_id, **parameters})
    return Sums(transactions, paisa)


async def _skip_days(
    conn: AsyncConnection[TupleRow], business_id: int, filters: Filters, start: Start
) -> tuple[Filters, Start]:
    """Return filters and start that mean the same page, but begin with the day on which it begins."""
    conditions = _conditions(OF_DAYS, filters)
    statement = SELECT_DAY.format(way=start.order.way, rollup=filters.days, conditions=conditions)
    parameters = {"business": business_id, **filters.parameters(), "offset": start.offset}
    row = await row_or_none(conn, statement, parameters)
    if row is None:
        return filters, start
    day, skipped = row
    bounded = replace(filters, last=day) if start.order.descending else replace(filters, first=day)
    return bounded, replace(start, offset=start.offset - skipped)


def _page(filters: Filters, start: Start, count: int) -> str:
    """Return the WITH items of the page's keys.

    By date, every filter has an index in the list's own order, and by amount a product's sales have one. Other matches
    are collected and sorted where they are few; many are met soon enough on the way along the index of all amounts.
    """
    if start.order.name == "date" or filters.product_id is not None or not filters.parameters():
        return start.page("transactions", _conditions(OF_ROWS, filters))
    if count > _COLLECTED:
        return start.page("transactions", _conditions(ON_THE_WAY, filters))
    matching = COLLECT.format(conditions=_conditions(OF_ROWS, filters))
    return f"matching AS MATERIALIZED ({matching}),\n{start.page('matching', OF_ROWS['business'])}"


def _conditions(of: dict[str, str], filters: Filters) -> str:
    return "\nAND ".join((of["business"], *(of[name] for name in filters.parameters())))
