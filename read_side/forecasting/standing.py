"""Forecasts beside the stock of this moment: what each says, and whether it warns."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.rows import rows_of
from shared.rules import stockout
from shared.rules.stockout import Demand, Risk, Shelf

_FROM = """FROM forecasts AS f
    LEFT JOIN products AS p ON p.business_id = f.business_id AND p.id = f.product_id"""
# Returns product, horizon and name of every forecast of a business, or of one of its products.
SELECT_NAMES = f"""SELECT f.product_id, f.horizon, p.sort_name {_FROM}
    WHERE f.business_id = %(business)s AND (%(product)s::bigint IS NULL OR f.product_id = %(product)s::bigint)"""
_STANDING = """f.status, f.made_on, f.data_as_of, f.expected, f.levels, f.quantiles,
        CASE WHEN s.stock_known THEN s.on_hand END, nullif(g.lead_time_days, -1), nullif(g.pack_size, -1),
        nullif(g.min_order, -1), nullif(g.reorder_point, -1)"""
_SHELF = """LEFT JOIN stock AS s ON s.business_id = f.business_id AND s.product_id = f.product_id
    LEFT JOIN goods AS g ON g.business_id = f.business_id AND g.product_id = f.product_id"""
# Returns the same with what the risk of running out follows from.
SELECT_STANDINGS = f"""SELECT f.product_id, f.horizon, p.sort_name, {_STANDING} {_FROM} {_SHELF}
    WHERE f.business_id = %(business)s AND (%(product)s::bigint IS NULL OR f.product_id = %(product)s::bigint)"""
# Returns all there is to tell of some forecasts.
SELECT_FORECASTS = f"""SELECT f.product_id, f.horizon, {_STANDING}, p.name, f.forecast_id, f.asked_on, f.have, f.need,
        f.tier, f.model, f.days, f.report, f.failed_on, f.failure {_FROM} {_SHELF}
    JOIN unnest(%(products)s::bigint[], %(horizons)s::bigint[]) AS wanted (product_id, horizon)
        ON wanted.product_id = f.product_id AND wanted.horizon = f.horizon
    WHERE f.business_id = %(business)s"""
READY = "ready"


class Head(NamedTuple):
    """Which forecast it is, and where it stands in the list; `risk` is None where it was not asked for."""

    product_id: int
    horizon: int
    sort_name: str | None
    risk: Risk | None = None

    @property
    def id(self) -> int:
        """Return a number that no other forecast of the business has."""
        return self.product_id * 100 + self.horizon


class Forecast(NamedTuple):
    """All there is to tell of a forecast; what was never made is None."""

    product_id: int
    horizon: int
    status: str | None
    demand: Demand | None
    shelf: Shelf
    name: str | None
    forecast_id: int | None
    asked_on: dt.date | None
    have: int | None
    need: int | None
    tier: str | None
    model: str | None
    days: str | None
    report: str | None
    failed_on: dt.date | None
    failure: str | None


async def heads(
    conn: AsyncConnection[TupleRow], business_id: int, product_id: int | None, today: dt.date, *, with_risk: bool
) -> list[Head]:
    """Return every forecast of a business, or of one product, with its risk where that is asked for."""
    wanted = {"business": business_id, "product": product_id}
    if not with_risk:
        return [Head(*row) for row in await rows_of(conn, SELECT_NAMES, wanted)]
    return [
        Head(product, horizon, name, risk_of(*_standing(rest), today))
        for product, horizon, name, *rest in await rows_of(conn, SELECT_STANDINGS, wanted)
    ]


async def forecasts(conn: AsyncConnection[TupleRow], business_id: int, wanted: Sequence[Head]) -> list[Forecast]:
    """Return these forecasts in their order."""
    keys: dict[str, Any] = {"products": [h.product_id for h in wanted], "horizons": [h.horizon for h in wanted]}
    rows = await rows_of(conn, SELECT_FORECASTS, {"business": business_id, **keys})
    found = {
        (product, horizon): Forecast(product, horizon, rest[0], *_standing(rest[:_WIDTH]), *rest[_WIDTH:])
        for product, horizon, *rest in rows
    }
    return [found[head.product_id, head.horizon] for head in wanted]


_WIDTH = 11


def _standing(row: Sequence[Any]) -> tuple[Demand | None, Shelf]:
    status, made_on, data_as_of, expected, levels, quantiles, *shelf = row
    demand = Demand(made_on, data_as_of, expected, levels, quantiles) if status == READY else None
    return demand, Shelf(*shelf)


def risk_of(demand: Demand | None, shelf: Shelf, today: dt.date) -> Risk:
    """Return the risk of running out; none is known without a forecast."""
    return Risk() if demand is None else stockout.risk(demand, shelf, today)
