"""GET /products."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import Field
from starlette.responses import Response

from read_side.http.business_day import Today
from read_side.http.consistency import await_consistency, retry_until_found
from read_side.http.keyset_pagination import (
    BY_INDEX,
    LAST,
    ONE_PAGE,
    Listed,
    Listing,
    Order,
    Start,
    only_item,
    with_text_key,
)
from read_side.http.list_answers import File, answer
from read_side.http.rows import only_row
from read_side.http.word_search import MATCHES, SearchText, word_parameters
from read_side.inventory.schemas import LIST, ONE
from shared.domain.refusals.inventory import ProductNotFound
from shared.domain.rules import stockout
from shared.http.app import Page, PublicId, language, raw, refuses
from shared.http.dependencies import Deps, Owner
from shared.http.pagination import ExportQuery
from shared.postgres.database import reading

router = APIRouter(tags=["Products"])

STALE_DAYS = stockout.DEFAULTS.stale_days
# Selects the number of products, of products with a derived stock, of those below their reorder point, and the settings
# of BY_INDEX.
COUNT = f"""SELECT coalesce((SELECT products FROM sales_totals WHERE business_id = %(business)s), 0),
    coalesce((SELECT products FROM stock_totals WHERE business_id = %(business)s), 0),
    coalesce((SELECT low FROM stock_totals WHERE business_id = %(business)s), 0),
    {BY_INDEX}"""  # noqa: S608 - constants
# Selects the name that a product is sorted by.
SELECT_NAME = "SELECT sort_name FROM products WHERE business_id = %(business)s AND id = %(after_id)s"
# The products sold in the last 7 days including today, with their units. Floats hold these sums exactly and are summed
# faster than bigint.
SELLING = """(SELECT product_id AS id, sum(units::float8)::bigint AS sales_7d FROM product_days
    WHERE business_id = %(business)s AND date > %(today)s::date - 7 AND date <= %(today)s::date
    GROUP BY product_id HAVING sum(units::float8) > 0) AS selling"""
# The same for every product; a union, since a join would need statistics.
EVERY = """(SELECT id, sum(units)::bigint AS sales_7d FROM (
    SELECT id, 0::float8 AS units FROM products WHERE business_id = %(business)s
    UNION ALL SELECT product_id, units::float8 FROM product_days
    WHERE business_id = %(business)s AND date > %(today)s::date - 7 AND date <= %(today)s::date
    ) AS lines GROUP BY id) AS every"""
# The products low on stock by quantity; the condition that a product is; these products with the units they sold. The
# condition is not a join, so that a page by name remains a range of an index.
LOW = "(SELECT product_id AS id, on_hand FROM stock WHERE business_id = %(business)s AND is_low) AS shelf"
IS_LOW = "({} IN (SELECT product_id FROM stock WHERE business_id = %(business)s AND is_low)) IS TRUE"
LOW_SELLING = f"""(SELECT id, sum(units)::bigint AS sales_7d FROM (
    SELECT product_id AS id, 0::float8 AS units FROM stock WHERE business_id = %(business)s AND is_low
    UNION ALL SELECT product_id, units::float8 FROM product_days
    WHERE business_id = %(business)s AND date > %(today)s::date - 7 AND date <= %(today)s::date
        AND {IS_LOW.format("product_id")}
    ) AS lines GROUP BY id) AS low"""  # noqa: S608 - constants
# Every product by quantity: with a derived stock, and including those without one yet.
SHELVED = "(SELECT product_id AS id, on_hand FROM stock WHERE business_id = %(business)s) AS shelf"
SHELVED_SOON = """(SELECT p.id, coalesce(s.on_hand, 0) AS on_hand FROM products AS p
    LEFT JOIN stock AS s ON s.business_id = p.business_id AND s.product_id = p.id
    WHERE p.business_id = %(business)s) AS shelf"""
# Selects the ids of the products that match, of those low on stock if these are wanted; the condition that one was
# found.
SELECT_FOUND = f"""SELECT coalesce(array_agg(id), '{{}}') FROM products WHERE business_id = %(business)s AND {MATCHES}
    AND (NOT %(low)s::bool OR {IS_LOW.format("id")})"""  # noqa: S608 - constants
FOUND = "id IN (SELECT unnest(%(found)s::bigint[]))"
# The newest forecast of a product with a stock `s`: the demand of its first seven days, and the number of days until
# the cumulated demand exceeds the stock; the same rule as shared.domain.rules.stockout.
LATEST_FORECAST = f"""SELECT forecast_id, made_on, horizon,
        (SELECT sum(units) FROM unnest(expected[:7]) AS units) AS week,
        (SELECT min(summed.day) - greatest(%(today)s::date - made_on, 0) FROM (
            SELECT day, sum(units) OVER (ORDER BY day) AS units FROM unnest(expected) WITH ORDINALITY AS u (units, day)
            WHERE day > %(today)s::date - made_on) AS summed
        WHERE s.stock_known AND summed.units > greatest(s.on_hand, 0)
            AND %(today)s::date - data_as_of <= {STALE_DAYS}) AS out_in
    FROM forecasts WHERE business_id = %(business)s AND product_id = page.id AND status = 'ready'
    ORDER BY forecast_id DESC LIMIT 1"""  # noqa: S608 - constants
# Selects the products of `page` as a JSON array in order, and LAST.
SELECT_PAGE = f"""SELECT coalesce((SELECT json_agg(item) FROM (
    SELECT p.id, p.name, nullif(g.sku, '') AS sku, nullif(g.unit, '') AS unit,
        trim_scale(coalesce(nullif(g.unit_price, -1), p.unit_price, p.first_price) * 0.01) AS unit_price,
        trim_scale(nullif(g.cost, -1) * 0.01) AS cost,
        trim_scale(coalesce(s.on_hand, 0) * 0.001) AS current_stock, coalesce(s.stock_known, false) AS stock_known,
        to_char(timestamp '2000-01-01' + s.counted_at * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS"+06:00"')
            AS counted_at,
        trim_scale(s.reorder_point * 0.001) AS reorder_point, coalesce(s.reorder_auto, false) AS reorder_point_auto,
        nullif(g.lead_time_days, -1) AS lead_time_days, trim_scale(nullif(g.pack_size, -1) * 0.001) AS pack_size,
        trim_scale(nullif(g.min_order, -1) * 0.001) AS min_order, coalesce(s.is_low, false) AS is_low_stock,
        json_build_object(
            'sales_7d', trim_scale(sold.week * 0.001), 'sales_30d', trim_scale(sold.month * 0.001),
            'avg_daily', round(sold.month / 30000.0, 1),
            'last_sale', to_char(p.last_sale_at, 'YYYY-MM-DD"T"HH24:MI:SS"+06:00"')
        ) AS sales_metrics,
        CASE WHEN f.forecast_id IS NOT NULL THEN json_build_object(
            'id', f.forecast_id, 'forecast_date', f.made_on, 'forecast_days', f.horizon,
            'next_7d_demand', trim_scale(f.week * 0.001), 'stockout_predicted', f.out_in IS NOT NULL,
            'days_until_stockout', f.out_in) END AS forecast
    FROM page
    CROSS JOIN LATERAL (SELECT * FROM products WHERE business_id = %(business)s AND id = page.id LIMIT 1) AS p
    LEFT JOIN LATERAL (SELECT * FROM goods WHERE business_id = %(business)s AND product_id = page.id LIMIT 1) AS g
        ON true
    LEFT JOIN LATERAL (SELECT * FROM stock WHERE business_id = %(business)s AND product_id = page.id LIMIT 1) AS s
        ON true
    CROSS JOIN LATERAL (SELECT coalesce(sum(units) FILTER (WHERE date > %(today)s::date - 7), 0) AS week,
            coalesce(sum(units), 0) AS month
        FROM (SELECT date, units FROM product_days WHERE business_id = %(business)s AND product_id = page.id
            AND date > %(today)s::date - 30 AND date <= %(today)s::date ORDER BY date, payment_method) AS days) AS sold
    LEFT JOIN LATERAL ({LATEST_FORECAST}) AS f ON true
    WHERE n <= %(limit)s ORDER BY n) AS item), '[]')::text, {LAST}::text"""  # noqa: S608 - constants


class ProductsQuery(ExportQuery):
    """Filters and order of the list."""

    q: SearchText = Field(None, description="Beginning of a word of the name")
    low_stock_only: Annotated[bool, Field(description="Only products below their reorder point")] = False
    sort: Literal["name", "stock", "sales_7d"] = "name"
    order: Annotated[Literal["asc", "desc"] | None, Field(description="`desc` for sales_7d, else `asc`")] = None

    def start(self, page: Page) -> Start:
        """Return where a page begins."""
        descending = (self.order or ("desc" if self.sort == "sales_7d" else "asc")) == "desc"
        if self.sort == "name":
            return Start.of(Order("name", "sort_name", str, descending, nullable=True), page)
        if self.sort == "sales_7d":
            return Start.of(Order("sales_7d", "sales_7d", int, descending), page)
        return Start.of(Order("stock", "on_hand", int, descending), page)


_FILE = File(
    "products",
    (
        "id",
        "name",
        "sku",
        "unit",
        "unit_price",
        "cost",
        "current_stock",
        "stock_known",
        "counted_at",
        "reorder_point",
        "is_low_stock",
        "sales_metrics.sales_7d",
        "sales_metrics.sales_30d",
        "sales_metrics.last_sale",
        "forecast.next_7d_demand",
        "forecast.days_until_stockout",
    ),
)


@router.get("/products", responses=LIST)
async def list_products(
    request: Request, deps: Deps, who: Owner, query: Annotated[ProductsQuery, Query()], today: Today
) -> Response:
    """Return products with their sales and stock, by name unless sorted otherwise.

    `sales_7d` and `sales_30d` are units over the last 7 and 30 days in Dhaka including today; `avg_daily` is a
    thirtieth of the latter. `unit_price` is set by the owner, else that of the newest sale. `reorder_point_auto`: the
    owner set none, so it is computed from the last 56 days of sales. `is_low_stock`: the stock was counted once and is
    below the reorder point; it is negative if a delivery was not recorded. `forecast` is the newest one or null; it
    predicts no stockout if the stock is unknown or the shop's data are older than 14 days.
    """
    business_id = await await_consistency(request, deps, who, "sales", "inventory", "forecasting")

    async def read(page: Page) -> Listed:
        start = query.start(page)
        async with reading(deps.reader, business_id) as conn:
            listing = await _read(conn, business_id, start, query, today, page.limit)
        return listing.listed(start.order)

    return await answer(request, query, language(request, who), read, _FILE)


@router.get("/products/{product_id}", responses=ONE, openapi_extra=refuses(ProductNotFound))
async def show_product(request: Request, deps: Deps, who: Owner, today: Today, product_id: PublicId) -> Response:
    """Return one product with its sales, stock and newest forecast."""
    business_id = await await_consistency(request, deps, who, "sales", "inventory", "forecasting")
    wanted = {"business": business_id, "today": today, "id": product_id, "limit": 1}

    async def read() -> str | None:
        async with reading(deps.reader, business_id) as conn:
            results, _ = await only_row(conn, f"WITH {ONE_PAGE}\n{SELECT_PAGE}", wanted)
        return only_item(results)

    found = await retry_until_found(read)
    if found is None:
        raise ProductNotFound(details={"id": product_id})
    return raw(found.encode())


async def _read(
    conn: AsyncConnection[TupleRow], business_id: int, start: Start, query: ProductsQuery, today: dt.date, limit: int
) -> Listing:
    products, shelved, low, *_ = await only_row(conn, COUNT, {"business": business_id})
    start = await with_text_key(conn, SELECT_NAME, business_id, start)
    parameters = {"business": business_id, "today": today, **start.parameters(limit)}
    count, condition = low if query.low_stock_only else products, ""
    if query.q is not None:
        wanted = {"business": business_id, "low": query.low_stock_only, **word_parameters(query.q)}
        (found,) = await only_row(conn, SELECT_FOUND, wanted)
        count, condition, parameters["found"] = len(found), f" AND {FOUND}", found
    results, last = "[]", None
    sources = (
        _low_source(start.order) if query.low_stock_only else _sources(start.order, all_shelved=products == shelved)
    )
    for source, where in sources:
        statement = f"WITH {start.page(source, where + condition)}\n{SELECT_PAGE}"
        results, last = await only_row(conn, statement, parameters)
        if last is not None:
            break
    return Listing.of(count, results, last)


def _low_source(order: Order) -> list[tuple[str, str]]:
    """Return the source of a page of products low on stock, with its condition."""
    if order.name == "name":
        return [("products", f"business_id = %(business)s AND {IS_LOW.format('id')}")]
    return [(LOW if order.name == "stock" else LOW_SELLING, "true")]


def _sources(order: Order, *, all_shelved: bool) -> list[tuple[str, str]]:
    """Return the sources of a page with their conditions; the second is for pages that the first does not fill.

    In descending order products sold come before all others, and most pages contain only those.
    """
    if order.name == "name":
        return [("products", "business_id = %(business)s")]
    if order.name == "stock":
        return [(SHELVED if all_shelved else SHELVED_SOON, "true")]
    return [(SELLING, "true"), (EVERY, "true")] if order.descending else [(EVERY, "true")]
