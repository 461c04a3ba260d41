"""Inputs and results of forecasting: days, sums and accuracy. Plain numbers, cheap to import.

Quantities are units of the product as floats; `whole` units (pieces, boxes) are shown as whole numbers.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Self

LEAST_TRANSACTIONS = 30
HORIZONS = (7, 14, 30)
# The levels of the quantiles in `Prediction.cumulative`.
LEVELS = tuple(round(0.05 * n, 2) for n in range(1, 20))

Tier = Literal["fallback", "short", "full"]
Reason = Literal["no_window", "no_sales"]


@dataclass(frozen=True, kw_only=True)
class History:
    """A product's sales per day, from the first one to the last day that the business's data reach, zeros filled in.

    `demand` leaves returns out and is never negative; `as_of` is the day of its last entry. `transactions` counts the
    sales behind it. `whole`: the unit is not divided. On days `without_stock` nothing could be sold, on those
    `partly_without_stock` more would have been sold than was: that is no demand of zero, or of so little.
    """

    first: dt.date
    demand: tuple[float, ...]
    transactions: int
    as_of: dt.date
    whole: bool = True
    without_stock: frozenset[dt.date] = frozenset()
    partly_without_stock: frozenset[dt.date] = frozenset()

    def __post_init__(self) -> None:
        """Refuse days that do not fit together, and negative demand."""
        if self.first + dt.timedelta(days=len(self.demand) - 1) != self.as_of:
            msg = f"{len(self.demand)} days from {self.first} do not end on {self.as_of}"
            raise ValueError(msg)
        if not min(self.demand) >= 0:
            msg = "demand is never negative"
            raise ValueError(msg)

    @classmethod
    def of(cls, sold: Mapping[dt.date, float], transactions: int, as_of: dt.date, *, whole: bool = True) -> Self:
        """Return the history of what was sold on each day with sales; a day that is not named had none."""
        first = min((day for day, quantity in sold.items() if quantity > 0), default=as_of)
        days = range((as_of - first).days + 1)
        demand = tuple(float(sold.get(first + dt.timedelta(days=n), 0)) for n in days)
        return cls(first=first, demand=demand, transactions=transactions, as_of=as_of, whole=whole)


@dataclass(frozen=True, kw_only=True)
class Window:
    """What every model predicted as of `cutoff`, without data after it; actual demand comes from the history.

    `known` is the demand of the year before: a window whose past has changed since is recomputed. `predicted` maps each
    model to the demand of the days after the cutoff. Plain numbers, to be recorded and passed back.
    """

    cutoff: dt.date
    known: float
    predicted: Mapping[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        """Turn lists, as JSON has them, into tuples."""
        object.__setattr__(self, "predicted", {name: tuple(days) for name, days in self.predicted.items()})


@dataclass(frozen=True, kw_only=True)
class NotEnough:
    """There are fewer transactions than a forecast needs."""

    have: int
    need: int = LEAST_TRANSACTIONS


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day: `quantity` as shown (whole where units are), `expected` exact, and the bands around it.

    `lower` and `upper` hold 95 % of the outcomes, `likely_lower` and `likely_upper` 80 %. `confidence` is the share of
    days so far ahead that were within the 95 % band in the backtest; it never rises with the distance.
    """

    date: dt.date
    quantity: float
    expected: float
    lower: float
    upper: float
    likely_lower: float
    likely_upper: float
    confidence: float

    def __post_init__(self) -> None:
        """Refuse a band that is not around its quantity."""
        rising = (0, self.lower, self.likely_lower, self.likely_upper, self.upper)
        if not (all(a <= b for a, b in pairwise(rising)) and self.lower <= self.quantity <= self.upper):
            msg = f"the bands of {self} do not hold each other"
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True)
class Total:
    """The demand of all days up to a horizon, exact, with its own band of 95 %."""

    quantity: float
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class Rival:
    """How a model did in the same windows: absolute errors over demand, and signed errors over demand."""

    model: str
    wape: float
    bias: float


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How the forecast did in its backtest windows; shares, 0.2 is 20 %.

    mape: mean of the daily errors over the days with sales, null with `mape_reason` where that means nothing;
    wape: sum of absolute errors over the sum of demand; mase: mean absolute error over that of last week's same day
    within the history; bias: sum of (predicted - actual) over demand; coverage: share of days within the 95 % band;
    naive_wape: wape of repeating the last week. All null without a window, or without demand in any.
    """

    mape: float | None
    mape_reason: Reason | None
    wape: float | None
    mase: float | None
    bias: float | None
    coverage: float | None
    naive_wape: float | None
    windows: int
    data_points_used: int


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A forecast of one product's demand.

    tier: `fallback` for fewer than 14 days of sales history (a mean or an intermittent-demand method, and nothing is
    known of its errors), `short` below 60 days, else `full`. model: the name of the model used; champion: what to pass
    to the next `predict` (equal to model). sums: up to each of 7, 14 and 30 days within the horizon. cumulative: per
    day, the quantiles at LEVELS of the demand from the first day to it: P(demand > stock) for any stock.
    windows: to be recorded and passed to the next `predict`.
    """

    tier: Tier
    model: str
    champion: str
    rivals: tuple[Rival, ...]
    days: tuple[Day, ...]
    sums: Mapping[int, Total]
    cumulative: tuple[tuple[float, ...], ...]
    accuracy: Accuracy
    windows: tuple[Window, ...]


@dataclass(frozen=True, kw_only=True)
class RevenueDay:
    """A day's revenue in paisa, with a band of 95 %."""

    date: dt.date
    paisa: int
    lower: int
    upper: int


@dataclass(frozen=True, kw_only=True)
class RevenuePrediction:
    """A forecast of a business's revenue per day; windows as those of a product's."""

    model: str
    days: tuple[RevenueDay, ...]
    accuracy: Accuracy
    windows: tuple[Window, ...]
