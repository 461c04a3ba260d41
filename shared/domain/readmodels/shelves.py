"""The stock of products and their expected sales of the next week, from forecasts or averages."""

import datetime as dt
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from shared.domain.rules.recommend import Shelf
from shared.domain.rules.stock import FRACTIONAL_UNITS

AHEAD = 7
_WHOLE, _TENTH = 1000, 100

# Selects the products with a known stock, their details, the units sold in the 28 and the 7 days up to the last day
# with sales, and the number of these 28 days since their first sale.
SELECT_STOCKED = """SELECT s.product_id, s.on_hand, s.is_low, s.reorder_point, nullif(g.reorder_point, -1),
        coalesce(nullif(g.unit_price, -1), p.unit_price, p.first_price),
        nullif(g.lead_time_days, -1), nullif(g.pack_size, -1), nullif(g.min_order, -1),
        coalesce(sold.month, 0)::bigint, coalesce(sold.week, 0)::bigint,
        least(28, %(last)s::date - (SELECT min(d.date) FROM product_days AS d WHERE d.business_id = s.business_id
            AND d.product_id = s.product_id AND d.sales > 0) + 1), nullif(g.unit, '')
    FROM stock AS s
    LEFT JOIN goods AS g ON g.business_id = s.business_id AND g.product_id = s.product_id
    LEFT JOIN products AS p ON p.business_id = s.business_id AND p.id = s.product_id
    LEFT JOIN (SELECT product_id, sum(units) AS month, sum(units) FILTER (WHERE date > %(last)s::date - 7) AS week
        FROM product_days WHERE business_id = %(business)s AND date > %(last)s::date - 28 AND date <= %(last)s::date
        GROUP BY product_id) AS sold ON sold.product_id = s.product_id
    WHERE s.business_id = %(business)s AND s.stock_known ORDER BY s.product_id"""
# Selects the newest forecast of each product, the shortest of several.
SELECT_FORECASTS = """SELECT DISTINCT ON (product_id) product_id, made_on, expected FROM forecasts
    WHERE business_id = %(business)s AND status = 'ready' AND made_on <= %(today)s::date
        AND made_on + horizon::integer > %(today)s::date
    ORDER BY product_id, made_on DESC, horizon"""


class Stocked(NamedTuple):
    """A row of SELECT_STOCKED."""

    product_id: int
    on_hand: int
    is_low: bool
    reorder_point: int | None
    owner_point: int | None
    unit_price: int | None
    lead_days: int | None
    pack: int | None
    min_order: int | None
    month: int
    week: int
    days: int | None
    unit: str | None


class Forecast(NamedTuple):
    """A row of SELECT_FORECASTS: the demand of each day after `made_on`."""

    product_id: int
    made_on: dt.date
    expected: Sequence[int]


def shelf(row: Stocked, forecast: Forecast | None, today: dt.date) -> Shelf:
    """Return the stock with its expected demand from the forecast, else from the average of 28 days.

    The average of a newer product is over the days since its first sale, at least seven.
    """
    over = max(row.days or 0, AHEAD)
    if forecast is None:
        demand = [max(0, row.month) * (k + 1) // over - max(0, row.month) * k // over for k in range(AHEAD)]
    else:
        demand = week_ahead(forecast.expected, (today - forecast.made_on).days)
    usual = max(0, row.month - row.week) * AHEAD // (over - AHEAD) if over > AHEAD else 0
    basis = "average" if forecast is None else "forecast"
    return Shelf(
        *row[:5],
        _countable(sum(demand), row.unit),
        AHEAD,
        _runs_out_in(row.on_hand, demand),
        basis,
        *row[5:9],
        row.week,
        usual,
    )


def _countable(demand: int, unit: str | None) -> int:
    """Return a demand rounded to whole units, or to tenths of fractional units."""
    step = _TENTH if unit in FRACTIONAL_UNITS else _WHOLE
    return (demand + step // 2) // step * step


def week_ahead(expected: Sequence[int], passed: int) -> list[int]:
    """Return the demand of the next seven days from a forecast of which `passed` days are over.

    A day after its end has the demand of the same weekday within it.
    """
    days = range(passed, passed + AHEAD)
    return [expected[k] if k < len(expected) else expected[k % min(AHEAD, len(expected))] for k in days]


def _runs_out_in(on_hand: int, demand: Sequence[int]) -> int | None:
    """Return the first day (from 1) on which the cumulated demand exceeds the stock, None if no day does."""
    stock = max(0, on_hand)
    return next((day for day, sold in enumerate(accumulate(demand), 1) if sold > stock), None)
