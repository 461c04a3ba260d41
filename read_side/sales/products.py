"""GET /products."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import Field
from starlette.responses import Response

from read_side.clock import Today
from read_side.freshness import freshly
from read_side.keysets import BY_INDEX, LAST, Order, Start, with_text
from read_side.lists import NOTHING, Listing
from read_side.rows import only_row
from shared.database import reading
from shared.http import ListQuery, Principal, example, owner, raw

router = APIRouter(tags=["Products"])

# Returns how many products the business has, and the settings of BY_INDEX.
COUNT = f"""SELECT coalesce((SELECT products FROM sales_totals WHERE business_id = %(business)s), 0),
    {BY_INDEX}"""  # noqa: S608  (constants)
# Returns the name by which a product is sorted.
SELECT_NAME = "SELECT sort_name FROM products WHERE business_id = %(business)s AND id = %(after_id)s"
# The products that sold in the last 7 days, today included, with their units; summed as floats, which hold such numbers
# exactly and are quicker than sums of bigint.
SELLING = """(SELECT product_id AS id, sum(units::float8)::bigint AS sales_7d FROM product_days
    WHERE business_id = %(business)s AND date > %(today)s::date - 7 AND date <= %(today)s::date
    GROUP BY product_id HAVING sum(units::float8) > 0) AS selling"""
# The same of every product; a union, since a join would need statistics.
EVERY = """(SELECT id, sum(units)::bigint AS sales_7d FROM (
    SELECT id, 0::float8 AS units FROM products WHERE business_id = %(business)s
    UNION ALL SELECT product_id, units::float8 FROM product_days
    WHERE business_id = %(business)s AND date > %(today)s::date - 7 AND date <= %(today)s::date
    ) AS lines GROUP BY id) AS every"""
# Returns the products of `page` as a JSON array in order, and LAST.
SELECT_PAGE = f"""SELECT coalesce((SELECT json_agg(item) FROM (
    SELECT p.id, p.name, NULL AS sku, trim_scale(p.unit_price * 0.01) AS unit_price,
        0 AS current_stock, false AS stock_known, NULL AS reorder_point, false AS is_low_stock,
        json_build_object(
            'sales_7d', trim_scale(sold.week * 0.001), 'sales_30d', trim_scale(sold.month * 0.001),
            'avg_daily', round(sold.month / 30000.0, 1),
            'last_sale', to_char(p.last_sale_at, 'YYYY-MM-DD"T"HH24:MI:SS"+06:00"')
        ) AS sales_metrics, NULL AS forecast
    FROM page
    CROSS JOIN LATERAL (SELECT * FROM products WHERE business_id = %(business)s AND id = page.id LIMIT 1) AS p
    CROSS JOIN LATERAL (SELECT coalesce(sum(units) FILTER (WHERE date > %(today)s::date - 7), 0) AS week,
            coalesce(sum(units), 0) AS month
        FROM (SELECT date, units FROM product_days WHERE business_id = %(business)s AND product_id = page.id
            AND date > %(today)s::date - 30 AND date <= %(today)s::date ORDER BY date, payment_method) AS days) AS sold
    WHERE n <= %(limit)s ORDER BY n) AS item), '[]')::text, {LAST}::text"""  # noqa: S608  (constants)

_EXAMPLE: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "count": 12,
            "next": None,
            "previous": None,
            "results": [
                {
                    "id": 1, "name": "Basmati Rice", "sku": None, "unit_price": 120, "current_stock": 0,
                    "stock_known": False, "reorder_point": None, "is_low_stock": False,
                    "sales_metrics": {
                        "sales_7d": 25, "sales_30d": 89, "avg_daily": 3.0, "last_sale": "2025-11-03T14:30:00+06:00",
                    },
                    "forecast": None,
                }
            ],
            "next_cursor": None,
        },
        "One page; `stock_known` is false until the stock was counted, and `current_stock` then says nothing",
    )
}  # fmt: skip


class ProductsQuery(ListQuery):
    """Filters and order of the list."""

    low_stock_only: Annotated[bool, Field(description="Only products below their reorder point")] = False
    sort: Literal["name", "stock", "sales_7d"] = "name"
    order: Annotated[Literal["asc", "desc"] | None, Field(description="`desc` for sales_7d, else `asc`")] = None

    def start(self) -> Start:
        """Return where the page begins."""
        descending = (self.order or ("desc" if self.sort == "sales_7d" else "asc")) == "desc"
        if self.sort == "name":
            return Start.of(Order("name", "sort_name", str, descending, nullable=True), self.page())
        if self.sort == "sales_7d":
            return Start.of(Order("sales_7d", "sales_7d", int, descending), self.page())
        return Start.of(Order("stock", "id", int, descending), self.page())


@router.get("/products", responses=_EXAMPLE)
async def list_products(
    request: Request, who: Annotated[Principal, Depends(owner)], query: Annotated[ProductsQuery, Query()], today: Today
) -> Response:
    """Return products with what they sold, by name unless sorted otherwise.

    `sales_7d` and `sales_30d` are units over the last 7 and 30 days in Dhaka, today included; `avg_daily` is a
    thirtieth of the latter. No product is low on stock while no stock was ever counted.
    """
    start = query.start()
    business_id = await freshly(request, who, "sales")
    if query.low_stock_only:
        return raw(NOTHING.answer(request, query.page(), start.order))
    async with reading(request.app.state.reader, business_id) as conn:
        listing = await _read(conn, business_id, start, query.limit, today)
    return raw(listing.answer(request, query.page(), start.order))


async def _read(conn: AsyncConnection[TupleRow], business_id: int, start: Start, limit: int, today: dt.date) -> Listing:
    counted = await only_row(conn, COUNT, {"business": business_id})
    start = await with_text(conn, SELECT_NAME, business_id, start)
    parameters = {"business": business_id, "today": today, **start.parameters(limit)}
    results, last = "[]", None
    for source, where in _sources(start.order):
        statement = f"WITH {start.page(source, where)}\n{SELECT_PAGE}"
        results, last = await only_row(conn, statement, parameters)
        if last is not None:
            break
    return Listing.of(counted[0], results, last)


def _sources(order: Order) -> list[tuple[str, str]]:
    """Return what to take the page from, with its condition; the next one if the page is not full and more may follow.

    Downwards, whatever sold comes before whatever did not, and most pages end among the former.
    """
    if order.name != "sales_7d":
        return [("products", "business_id = %(business)s")]
    return [(SELLING, "true"), (EVERY, "true")] if order.descending else [(EVERY, "true")]
