"""A history as models take it: by day, without closed weekdays, bulk orders trimmed, days without stock made up for."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from write_side.forecasting.models import censored, festivals
from write_side.forecasting.models.prediction import History

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
WEEK = 7
# How far back models look, a closed weekday is looked for, and how likely it may be that it only seems closed.
LONGEST, _CLOSED_DAYS, _BY_CHANCE = 2 * 366, 84, 0.01
# A day is bulk if it exceeds the upper quartile of the days with sales by _BULK interquartile ranges, and _ABOVE times
# the upper quartile of its weekday; needs at least _FEWEST days with sales and _WEEKS days of that weekday.
_BULK, _ABOVE, _FEWEST, _WEEKS = 3.0, 1.5, 8, 4
# The power of what trimming took away that forecasts are given back: see `lift`.
_GIVEN_BACK = 0.25


@dataclass(frozen=True)
class Series:
    """What was sold per day from `first`, which of the days had no stock, and which had too little.

    Predictions begin on the day after the last.
    """

    first: dt.date
    sold: Floats
    without_stock: frozenset[dt.date] = frozenset()
    partly_without_stock: frozenset[dt.date] = frozenset()

    @classmethod
    def of(cls, history: History) -> "Series":
        """Return the series of a history, of its last two years."""
        left_out = max(0, len(history.demand) - LONGEST)
        return cls(
            history.first + dt.timedelta(days=left_out),
            np.array(history.demand[left_out:], dtype=np.float64),
            history.without_stock,
            history.partly_without_stock,
        )

    def __len__(self) -> int:
        """Return the number of days."""
        return len(self.sold)

    @property
    def last(self) -> dt.date:
        """Return the last day; predictions begin on the next."""
        return self.first + dt.timedelta(days=len(self) - 1)

    def until(self, day: dt.date) -> "Series":
        """Return what was known at the end of a day."""
        sold = self.sold[: max(0, (day - self.first).days + 1)]
        return Series(self.first, sold, self.without_stock, self.partly_without_stock)

    def weekdays(self, begin: int, end: int) -> npt.NDArray[np.int64]:
        """Return the weekdays (Monday is 0) of the days `begin` to `end`, counted from the first."""
        return (self.first.weekday() + np.arange(begin, end)) % WEEK

    @cached_property
    def in_stock(self) -> Bools:
        """Tell of each day whether the product could be sold, were it for a part of the day."""
        return self._apart_from(self.without_stock)

    @cached_property
    def demand(self) -> Floats:
        """Return what was sold, and on days without stock or with too little what would have been sold (expected)."""
        enough = self.in_stock & self._apart_from(self.partly_without_stock)
        if enough.all():
            return self.sold
        weekday = self.weekdays(0, len(self))
        return censored.made_up(self.sold, weekday, opened=self.open_days, in_stock=self.in_stock, enough=enough)

    def _apart_from(self, days: frozenset[dt.date]) -> Bools:
        found = np.ones(len(self), dtype=np.bool_)
        numbers = [(day - self.first).days for day in days]
        found[[number for number in numbers if 0 <= number < len(self)]] = False
        return found

    @cached_property
    def closed(self) -> Bools:
        """Tell of each weekday whether the product does not sell on it.

        That is so where it has not sold on that weekday for twelve weeks, and as many days without sales would come by
        chance only once in a hundred times, the other days being what they are.
        """
        known = self.in_stock[-_CLOSED_DAYS:]
        recent = (self.sold[-_CLOSED_DAYS:] > 0)[known]
        weekday = self.weekdays(len(self) - len(known), len(self))[known]
        shut = np.zeros(WEEK, dtype=np.bool_)
        for day in range(WEEK):
            here, others = recent[weekday == day], recent[weekday != day]
            chance = (others.sum() + 0.5) / (len(others) + 1)
            shut[day] = not here.any() and (1 - chance) ** len(here) <= _BY_CHANCE
        return shut

    @cached_property
    def open_days(self) -> Bools:
        """Tell of each day whether it is on an open weekday."""
        return np.asarray(~self.closed[self.weekdays(0, len(self))])

    def open_ahead(self, ahead: int) -> Bools:
        """Tell of each of the next days whether it is on an open weekday."""
        return np.asarray(~self.closed[self.weekdays(len(self), len(self) + ahead)])

    @cached_property
    def trimmed(self) -> Floats:
        """Return the demand with bulk orders cut down to what the largest usual days are (winsorised).

        What a weekday sells every week is no bulk order, however much more it is than on other days.
        """
        sold = self.demand > 0
        if sold.sum() < _FEWEST:
            return self.demand
        low, high = np.quantile(self.demand[sold], (0.25, 0.75))
        bounds = np.full(WEEK, max(high + _BULK * (high - low), _ABOVE * high))
        weekday = self.weekdays(0, len(self))
        for day in range(WEEK):
            here = self.demand[sold & (weekday == day)]
            if len(here) >= _WEEKS:
                bounds[day] = max(bounds[day], _ABOVE * float(np.quantile(here, 0.75, method="lower")))
        return np.asarray(np.minimum(self.demand, bounds[weekday]))

    @cached_property
    def effects(self) -> Mapping[str, float]:
        """Return by what factors feasts have moved the demand."""
        return festivals.effects(self.first, self.trimmed, self.open_days)

    def festive(self, begin: int, end: int) -> Floats:
        """Return the factor of each of the days `begin` to `end`, counted from the first; 1 where there is no feast."""
        names = festivals.names(self.first + dt.timedelta(days=begin), end - begin)
        return np.array([self.effects.get(name, 1.0) for name in names])

    @cached_property
    def plain(self) -> Floats:
        """Return the trimmed demand as it would have been without feasts."""
        return np.asarray(self.trimmed / self.festive(0, len(self)))

    @cached_property
    def compact(self) -> Floats:
        """Return the plain demand of the open days only."""
        return np.asarray(self.plain[self.open_days])

    @cached_property
    def lift(self) -> float:
        """Return what forecasts of trimmed demand are multiplied by, so that bulk orders are not forgotten altogether.

        None of what was cut would be a quarter too little over a month, all of it too much on most days (measured on a
        wholesaler's products); a quarter of it, as a power, costs little per day and helps sums.
        """
        trimmed = float(self.trimmed.sum())
        return float((self.demand.sum() / trimmed) ** _GIVEN_BACK) if trimmed else 1.0

    @property
    def season(self) -> int:
        """Return how many days of the compact series make a week."""
        return WEEK - int(self.closed.sum())

    def spread(self, compact: Floats, ahead: int, *, festive: bool = True) -> Floats:
        """Return a forecast of open days laid out over the next days and lifted, never negative, 0 on closed ones.

        Days of a feast get its factor, unless the forecast knows of feasts (`festive` is false).
        """
        found = np.zeros(ahead)
        mask = self.open_ahead(ahead)
        found[mask] = np.maximum(compact[: int(mask.sum())] * self.lift, 0)
        return np.asarray(found * self.festive(len(self), len(self) + ahead)) if festive else found
