"""Selects forecasts with the current stock, and the risk of a stockout that follows from both."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.rows import all_rows
from shared.domain.rules import stockout
from shared.domain.rules.stockout import Demand, Risk, Shelf

# The products that a run is still to forecast.
_ON_THEIR_WAY = """requested_forecasts AS w JOIN forecast_runs AS r
    ON r.business_id = w.business_id AND r.run_id = w.run_id AND r.state = 'pending'
        AND coalesce(r.parts_done < r.parts, true)"""
_STILL = "w.business_id = %(business)s AND w.done_run IS DISTINCT FROM w.run_id"
_LISTED = f"""WITH listed AS (
        SELECT f.product_id, f.horizon FROM forecasts AS f WHERE f.business_id = %(business)s
        UNION SELECT w.product_id, w.horizon FROM {_ON_THEIR_WAY} WHERE {_STILL})"""  # noqa: S608 - constants
# A forecast that was made while its product was taken back with an upload is none.
_NAMES = "JOIN products AS p ON p.business_id = %(business)s AND p.id = k.product_id"
_WHERE = "WHERE %(product)s::bigint IS NULL OR k.product_id = %(product)s::bigint"
# Selects product, horizon and name of every forecast of a business, made or on its way, or of one of its products.
SELECT_NAMES = f"""{_LISTED} SELECT k.product_id, k.horizon, p.sort_name FROM listed AS k {_NAMES} {_WHERE}"""  # noqa: S608 - constants
_DEMAND = """f.status, f.made_on, f.data_as_of, f.expected, f.levels,
        CASE WHEN s.stock_known THEN s.on_hand END, nullif(g.lead_time_days, -1), nullif(g.pack_size, -1),
        nullif(g.min_order, -1), nullif(g.reorder_point, -1)"""
_SHELF = """LEFT JOIN forecasts AS f
        ON f.business_id = %(business)s AND f.product_id = k.product_id AND f.horizon = k.horizon
    LEFT JOIN stock AS s ON s.business_id = %(business)s AND s.product_id = k.product_id
    LEFT JOIN goods AS g ON g.business_id = %(business)s AND g.product_id = k.product_id"""
# Selects the same with demand and stock; the chance of a stockout needs SELECT_QUANTILES too.
SELECT_DEMAND = f"""{_LISTED} SELECT k.product_id, k.horizon, p.sort_name, {_DEMAND}
    FROM listed AS k {_NAMES} {_SHELF} {_WHERE}"""  # noqa: S608 - constants
# Selects the quantiles of forecasts on one day each.
SELECT_QUANTILES = """SELECT f.product_id, f.horizon,
        f.quantiles[(wanted.day - 1) * cardinality(f.levels) + 1 : wanted.day * cardinality(f.levels)]
    FROM unnest(%(products)s::bigint[], %(horizons)s::bigint[], %(days)s::int[]) AS wanted (product_id, horizon, day)
    JOIN forecasts AS f ON f.product_id = wanted.product_id AND f.horizon = wanted.horizon
    WHERE f.business_id = %(business)s"""
# Selects some forecasts with everything the list shows.
SELECT_FORECASTS = f"""SELECT k.product_id, k.horizon, {_DEMAND}, f.quantiles, p.name, f.forecast_id, f.asked_on,
        f.have, f.need, f.tier, f.model, f.days, f.report, f.failed_on, f.failure,
        (SELECT w.run_id FROM {_ON_THEIR_WAY}
            WHERE {_STILL} AND w.product_id = k.product_id AND w.horizon = k.horizon)
    FROM unnest(%(products)s::bigint[], %(horizons)s::bigint[]) AS k (product_id, horizon) {_NAMES} {_SHELF}"""  # noqa: S608 - constants
# Selects a run, and how many of its products have a result.
SELECT_RUN = """SELECT CASE WHEN state = 'pending' AND parts_done >= parts THEN 'completed' ELSE state END,
        by, horizon, requested_on, products, made, failed, short
    FROM forecast_runs WHERE business_id = %(business)s AND run_id = %(run)s AND by IS NOT NULL"""
READY = "ready"


class Head(NamedTuple):
    """What the list is filtered and sorted by; the risk only if the query needs it."""

    product_id: int
    horizon: int
    sort_name: str | None
    demand: Demand | None = None
    shelf: Shelf = Shelf(None)
    risk: Risk = Risk()

    @property
    def id(self) -> int:
        """Return an id that is unique within the business."""
        return self.product_id * 100 + self.horizon


class Forecast(NamedTuple):
    """A forecast with everything the list shows; without a successful run most fields are None.

    `run_id`: the run that is to forecast it next.
    """

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
    run_id: str | None


async def heads(conn: AsyncConnection[TupleRow], business_id: int, product_id: int | None) -> list[Head]:
    """Return every forecast of a business, or of one of its products."""
    rows = await all_rows(conn, SELECT_NAMES, {"business": business_id, "product": product_id})
    return [Head(*row) for row in rows]


async def heads_at_risk(
    conn: AsyncConnection[TupleRow], business_id: int, product_id: int | None, today: dt.date
) -> list[Head]:
    """Return the same with the risk of a stockout, without its chance."""
    found = []
    wanted = {"business": business_id, "product": product_id}
    for product, horizon, name, *rest in await all_rows(conn, SELECT_DEMAND, wanted):
        demand, shelf = _demand_and_shelf(rest, ())
        found.append(Head(product, horizon, name, demand, shelf, risk_of(demand, shelf, today)))
    return found


async def with_chances(
    conn: AsyncConnection[TupleRow], business_id: int, heads: Sequence[Head], today: dt.date
) -> list[Head]:
    """Return the same with the chance of a stockout where it can be computed."""
    known_risks = {(h.product_id, h.horizon): h for h in heads if h.demand is not None and h.risk.reason is None}
    wanted: dict[str, Any] = {
        "products": [h.product_id for h in known_risks.values()],
        "horizons": [h.horizon for h in known_risks.values()],
        "days": [stockout.decisive_day(h.demand, h.risk, today) for h in known_risks.values() if h.demand is not None],
    }
    chances = {}
    for product, horizon, quantiles in await all_rows(conn, SELECT_QUANTILES, {"business": business_id, **wanted}):
        head = known_risks[product, horizon]
        if head.demand is not None:
            chances[product, horizon] = stockout.chance(head.demand, quantiles, head.shelf, today)
    return [h._replace(risk=h.risk._replace(chance=chances.get((h.product_id, h.horizon)))) for h in heads]


async def forecasts(conn: AsyncConnection[TupleRow], business_id: int, wanted: Sequence[Head]) -> list[Forecast]:
    """Return these forecasts in the same order."""
    keys: dict[str, Any] = {"products": [h.product_id for h in wanted], "horizons": [h.horizon for h in wanted]}
    rows = await all_rows(conn, SELECT_FORECASTS, {"business": business_id, **keys})
    found = {
        (product, horizon): Forecast(
            product, horizon, rest[0], *_demand_and_shelf(rest[:_WIDTH], rest[_WIDTH]), *rest[_WIDTH + 1 :]
        )
        for product, horizon, *rest in rows
    }
    return [found[head.product_id, head.horizon] for head in wanted]


_WIDTH = 10


def _demand_and_shelf(row: Sequence[Any], quantiles: Sequence[int]) -> tuple[Demand | None, Shelf]:
    """Return demand and shelf from the columns of _DEMAND."""
    status, made_on, data_as_of, expected, levels, *shelf = row
    demand = Demand(made_on, data_as_of, expected, levels, quantiles) if status == READY else None
    return demand, Shelf(*shelf)


def risk_of(demand: Demand | None, shelf: Shelf, today: dt.date) -> Risk:
    """Return the risk of a stockout; an unknown one without a forecast."""
    return Risk() if demand is None else stockout.risk(demand, shelf, today)
