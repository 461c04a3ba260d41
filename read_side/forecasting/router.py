"""GET /forecasts."""

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import Field
from starlette.responses import Response

from read_side.forecasting.presenter import item
from read_side.forecasting.queries import Head, forecasts, heads, heads_at_risk, with_chances
from read_side.forecasting.schemas import FORECASTS
from read_side.http.business_day import Today
from read_side.http.consistency import await_consistency
from read_side.http.keyset_pagination import Listed, invalid_cursor
from read_side.http.list_answers import File, answer
from shared.http.app import Page, decode_cursor, encode_cursor, language
from shared.http.dependencies import Deps, Owner
from shared.http.pagination import ExportQuery, QueryId
from shared.postgres.database import reading

router = APIRouter(tags=["Forecasts"])
_UNKNOWN = -1.0
SortKey = tuple[Any, ...]


class ForecastsQuery(ExportQuery):
    """Filters and order of the list."""

    has_stockout_warning: Annotated[bool, Field(description="Only products that are expected to run out")] = False
    product_id: Annotated[QueryId | None, Field(description="Only this product")] = None
    sort: Annotated[
        Literal["product_name", "stockout_risk"], Field(description="`stockout_risk`: most likely first")
    ] = "stockout_risk"
    order: Annotated[Literal["asc", "desc"] | None, Field(description="`desc` for stockout_risk, else `asc`")] = None

    @property
    def descending(self) -> bool:
        """Return whether the order is descending."""
        return (self.order or ("desc" if self.sort == "stockout_risk" else "asc")) == "desc"

    def sort_key(self) -> Callable[[Head], SortKey]:
        """Return the sort key of the ascending order: by name, unnamed products last; or by chance of a stockout."""
        if self.sort == "product_name":
            return lambda head: (head.sort_name is None, head.sort_name or "", head.product_id, head.horizon)
        return lambda head: (_chance(head), head.product_id, head.horizon)


def _chance(head: Head) -> float:
    return _UNKNOWN if head.risk.chance is None else head.risk.chance


_FILE = File(
    "forecasts",
    (
        "product.id",
        "product.name",
        "forecast_date",
        "forecast_days",
        "status",
        "summary.total_demand",
        "summary.total_lower",
        "summary.total_upper",
        "summary.avg_daily",
        "summary.peak_date",
        "stockout_risk.current_stock",
        "stockout_risk.will_stockout",
        "stockout_risk.days_until_stockout",
        "stockout_risk.reorder_by",
        "stockout_risk.recommended_qty",
        "model",
        "data_as_of",
    ),
)


@router.get("/forecasts", responses=FORECASTS)
async def list_forecasts(
    request: Request, deps: Deps, who: Owner, query: Annotated[ForecastsQuery, Query()], today: Today
) -> Response:
    """Return the latest forecast of each product and horizon, the likeliest stockouts first unless sorted otherwise.

    `stockout_risk` refers to the current stock: `confidence` is the probability that the demand exceeds it by that day,
    null if the stock was never counted, the shop's data are older than 14 days, or the forecast has ended; `reason`
    names the case. Errors are in percent, `coverage` and `confidence` from 0 to 1; `mape` is over days with sales.
    """
    business_id = await await_consistency(request, deps, who, "forecasting", "sales", "inventory")
    wanted = language(request, who)

    async def read(page: Page) -> Listed:
        async with reading(deps.reader, business_id) as conn:
            every = await _heads(conn, business_id, query, today)
            sort_key = query.sort_key()
            listed = [head for head in every if not query.has_stockout_warning or head.risk.will_stockout]
            listed.sort(key=sort_key, reverse=query.descending)
            start = page.offset if page.cursor is None else _after(page.cursor, query, every, listed)
            shown = listed[start : start + page.limit]
            found = await forecasts(conn, business_id, shown)
        items = [item(forecast, today, wanted) for forecast in found]
        more = start + page.limit < len(listed)
        cursor = encode_cursor((query.sort, query.descending, shown[-1].id)) if shown and more else None
        return Listed(len(listed), orjson.dumps(items).decode(), cursor)

    return await answer(request, query, wanted, read, _FILE)


async def _heads(
    conn: AsyncConnection[TupleRow], business_id: int, query: ForecastsQuery, today: dt.date
) -> list[Head]:
    """Return every forecast with only what the list is filtered and sorted by."""
    if not query.has_stockout_warning and query.sort == "product_name":
        return await heads(conn, business_id, query.product_id)
    every = await heads_at_risk(conn, business_id, query.product_id, today)
    return every if query.sort == "product_name" else await with_chances(conn, business_id, every, today)


def _after(cursor: str, query: ForecastsQuery, every: list[Head], listed: list[Head]) -> int:
    """Return the number of items of the list up to and including that of the cursor; raises InvalidCursor."""
    sort, descending, number = decode_cursor(cursor, str, bool, int)
    last = next((head for head in every if head.id == number), None)
    if last is None or (sort, descending) != (query.sort, query.descending):
        raise invalid_cursor()
    sort_key = query.sort_key()
    key = sort_key(last)
    return sum(sort_key(head) >= key if query.descending else sort_key(head) <= key for head in listed)
