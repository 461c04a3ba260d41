"""The risk that a product runs out: when, with what probability, and when and how much to order.

Quantities are integer thousandths of a unit, levels thousandths of a probability.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

VERSION = "stockout.v1"
UNKNOWN_STOCK, STALE, PAST = "stock_unknown", "stale", "past"
_CERTAIN = 1000
_DAY = dt.timedelta(1)


@dataclass(frozen=True)
class Parameters:
    """The parameters of the rule.

    `lead_time_days` and `pack_size`: for products without their own; `stale_days`: after more days without any sale of
    the shop its data are considered missing.
    """

    lead_time_days: int = 0
    pack_size: int = 5000
    stale_days: int = 14


DEFAULTS = Parameters()


class Demand(NamedTuple):
    """A forecast: the demand of each day after `made_on`, and per day the quantiles (at `levels`) of its sum.

    `data_as_of`: the shop's last day with sales.
    """

    made_on: dt.date
    data_as_of: dt.date
    expected: Sequence[int]
    levels: Sequence[int]
    quantiles: Sequence[int]


class Shelf(NamedTuple):
    """The current stock, None if never counted, and the owner's settings for orders, None if not set."""

    stock: int | None
    lead_time_days: int | None = None
    pack_size: int | None = None
    min_order: int | None = None
    reorder_point: int | None = None


class Risk(NamedTuple):
    """Whether the stock runs out within the forecast.

    `days` from today to `stockout_on`, the first day on which the cumulated demand exceeds the stock; `chance` that it
    does so by then, or by the end of the forecast if no stockout is expected; when to order, and how much. `reason`
    why there is no result: the stock is unknown, the data are stale, or the forecast has ended.
    """

    will_stockout: bool = False
    days: int | None = None
    chance: float | None = None
    stockout_on: dt.date | None = None
    reorder_by: dt.date | None = None
    recommended_qty: int | None = None
    reason: str | None = None


def is_stale(data_as_of: dt.date, today: dt.date, parameters: Parameters = DEFAULTS) -> bool:
    """Return whether the shop's data are considered missing since `data_as_of`."""
    return (today - data_as_of).days > parameters.stale_days


def risk(demand: Demand, shelf: Shelf, today: dt.date, parameters: Parameters = DEFAULTS) -> Risk:
    """Return the risk as of the end of `today`; past days of the forecast are left out.

    Without quantiles the chance is None; `chance` computes it from those of one day.
    """
    if shelf.stock is None:
        return Risk(reason=UNKNOWN_STOCK)
    if is_stale(demand.data_as_of, today, parameters):
        return Risk(reason=STALE)
    passed = days_passed(demand, today)
    if passed >= len(demand.expected):
        return Risk(reason=PAST)
    stock = max(0, shelf.stock)
    summed = list(accumulate(demand.expected[passed:]))
    days = next((n for n, sold in enumerate(summed, 1) if sold > stock), None)
    found = Risk() if days is None else Risk(True, days, None, today + _DAY * days)  # noqa: FBT003 - the field will_stockout
    if demand.quantiles:
        found = found._replace(chance=chance(demand, quantiles_of(demand, found, today), shelf, today))
    if days is None:
        return found
    lead = parameters.lead_time_days if shelf.lead_time_days is None else shelf.lead_time_days
    return found._replace(
        reorder_by=max(today, today + _DAY * (days - lead)),
        recommended_qty=_order(summed[-1], len(summed), shelf, stock, parameters),
    )


def days_passed(demand: Demand, today: dt.date) -> int:
    """Return the number of past days of the forecast."""
    return max(0, (today - demand.made_on).days)


def decisive_day(demand: Demand, found: Risk, today: dt.date) -> int:
    """Return the day of the forecast, from 1, that the chance refers to: that of the stockout, else the last."""
    return len(demand.expected) if found.days is None else days_passed(demand, today) + found.days


def quantiles_of(demand: Demand, found: Risk, today: dt.date) -> Sequence[int]:
    """Return the quantiles of the demand up to the decisive day."""
    width, day = len(demand.levels), decisive_day(demand, found, today)
    return demand.quantiles[(day - 1) * width : day * width]


def chance(demand: Demand, quantiles: Sequence[int], shelf: Shelf, today: dt.date) -> float:
    """Return the probability that the demand up to the day of these quantiles exceeds the stock.

    The probability is interpolated linearly between quantiles; below the lowest it reaches 1 at a demand of 0, above
    the highest it reaches 0 at the distance between the highest and the median. Past days count with their expected
    demand.
    """
    stock = max(0, shelf.stock or 0)
    shift = sum(demand.expected[: days_passed(demand, today)])
    found = [max(0, quantile - shift) for quantile in quantiles]
    median = found[bisect_right(demand.levels, _CERTAIN // 2) - 1]
    values = [*found, 2 * found[-1] - median]
    levels = [*demand.levels, _CERTAIN]
    above = bisect_right(values, stock)
    if above == len(values):
        return 0.0
    low, low_level = (values[above - 1], levels[above - 1]) if above else (0, 0)
    share = (stock - low) / (values[above] - low)
    return round(1 - (low_level + share * (levels[above] - low_level)) / _CERTAIN, 4)


def _order(demand: int, days: int, shelf: Shelf, stock: int, parameters: Parameters) -> int:
    """Return the quantity to order, in whole packs, so that the forecast is covered.

    The stock left at its end is the owner's reorder point, else the demand of the owner's lead time.
    """
    left = shelf.reorder_point
    if left is None:
        left = -(-demand * (shelf.lead_time_days or 0) // days)
    need = max(demand - stock + left, shelf.min_order or 0)
    pack = shelf.pack_size or parameters.pack_size
    return -(-need // pack) * pack
