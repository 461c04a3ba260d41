"""Estimates inflows and outflows of future days from the last eight weeks of data and recurring expenses.

Money is integer paisa.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.domain.rules.recurring import Recurring, due_dates

DEFAULT_THRESHOLD = 2_000_000
_WEEK, _YEAR = 7, 365
_DAY = dt.timedelta(1)


@dataclass(frozen=True)
class Parameters:
    """Days of data for means and deviations, the minimum for either, the band, and the levels of risk."""

    mean_days: int = 56
    deviation_days: int = 180
    least_days: int = 14
    band: float = 0.8
    medium: float = 0.3
    high: float = 0.6
    cushion_days: int = 14


class Day(NamedTuple):
    """The sums of a day: sales paid at once, sales on credit, and non-recurring outflows."""

    takings: int = 0
    lent: int = 0
    spent: int = 0


@dataclass(frozen=True)
class Repayment:
    """Of `lent` paisa on credit `repaid` were paid back, usually after `days` days."""

    days: int
    repaid: int
    lent: int


@dataclass(frozen=True)
class Situation:
    """The input of a projection.

    `balance` at the end of the day `as_of`, None if unknown. `days` cover at least the last `deviation_days` of data;
    the data reach from `first_sale` to `last_sale`. `due`: baki by its expected day of payment. `forecast`: takings
    from the next day on; weekday means follow after its end. `planned`: expenses of single days to come.
    """

    as_of: dt.date
    balance: int | None
    days: Mapping[dt.date, Day]
    first_sale: dt.date | None = None
    last_sale: dt.date | None = None
    threshold: int = DEFAULT_THRESHOLD
    recurring: Sequence[Recurring] = ()
    due: Mapping[dt.date, int] | None = None
    repayment: Repayment | None = None
    forecast: Sequence[int] | None = None
    planned: Mapping[dt.date, int] | None = None


class Flow(NamedTuple):
    """The expected inflows and outflows of a day."""

    date: dt.date
    takings: int
    collections: int
    recurring: int
    other: int
    planned: int = 0

    @property
    def inflows(self) -> int:
        """Return the sum of the inflows."""
        return self.takings + self.collections

    @property
    def outflows(self) -> int:
        """Return the sum of the outflows."""
        return self.recurring + self.other + self.planned


def takings_per_day(situation: Situation, days: int, chosen: Parameters) -> Sequence[int] | None:
    """Return the expected takings per day, None without enough data."""
    data = length(situation.first_sale, situation.last_sale)
    if situation.last_sale is None or data < chosen.least_days:
        return None
    means = weekday_means(situation, "takings", min(data, chosen.mean_days))
    usual = [means[(situation.as_of + _DAY * k).weekday()] for k in range(1, days + 1)]
    forecast = list(situation.forecast or ())[:days]
    return forecast + usual[len(forecast) :]


def weekday_means(situation: Situation, of: str, days: int) -> list[int]:
    """Return the mean per weekday, Monday first, over the last `days` days of data; a day without sales counts as 0."""
    last = situation.last_sale or situation.as_of
    sums, counts = [0] * _WEEK, [0] * _WEEK
    for back in range(days):
        day = last - _DAY * back
        sums[day.weekday()] += getattr(situation.days.get(day, Day()), of)
        counts[day.weekday()] += 1
    return [_rounded(total, count) for total, count in zip(sums, counts, strict=True)]


def flows(situation: Situation, days: int, takings: Sequence[int] | None, chosen: Parameters) -> list[Flow]:
    """Return the expected inflows and outflows of each of the next `days` days."""
    dates = [situation.as_of + _DAY * k for k in range(1, days + 1)]
    recurring = dict.fromkeys(dates, 0)
    for what in situation.recurring:
        for day in due_dates(what, dates[0], dates[-1]):
            recurring[day] += what.amount
    other = spent_per_day(situation, chosen) or 0
    again = _future_baki(situation, dates, chosen)
    due, planned = situation.due or {}, situation.planned or {}
    return [
        Flow(day, takings[k] if takings else 0, due.get(day, 0) + again[k], recurring[day], other, planned.get(day, 0))
        for k, day in enumerate(dates)
    ]


def spent_per_day(situation: Situation, chosen: Parameters) -> int | None:
    """Return the daily mean of non-recurring outflows; None if there were none, or not enough days of data."""
    spent = [day for day, what in situation.days.items() if what.spent]
    first = min([*spent, *filter(None, [situation.first_sale])], default=None)
    last = max([*spent, *filter(None, [situation.last_sale])], default=None)
    known = length(first, last)
    if not spent or last is None or known < chosen.least_days:
        return None
    days = min(known, chosen.mean_days)
    total = sum(situation.days.get(last - _DAY * back, Day()).spent for back in range(days))
    return _rounded(total, days) or None


def _future_baki(situation: Situation, dates: Sequence[dt.date], chosen: Parameters) -> list[int]:
    """Return expected payments for future credit sales: the usual share after the usual days."""
    data, back = length(situation.first_sale, situation.last_sale), situation.repayment
    if back is None or not back.lent or data < chosen.least_days:
        return [0] * len(dates)
    means = weekday_means(situation, "lent", min(data, chosen.mean_days))
    sold = [day - _DAY * back.days for day in dates]
    share = min(back.repaid, back.lent)
    return [_rounded(means[day.weekday()] * share, back.lent) if day > situation.as_of else 0 for day in sold]


def cushion(situation: Situation, chosen: Parameters) -> int | None:
    """Return the outflows of `cushion_days` days as a suggested threshold, None without known outflows."""
    year = [
        len(due_dates(what, situation.as_of + _DAY, situation.as_of + _DAY * _YEAR)) for what in situation.recurring
    ]
    recurring = sum(n * what.amount for n, what in zip(year, situation.recurring, strict=True))
    other = spent_per_day(situation, chosen) or 0
    return _rounded(recurring * chosen.cushion_days, _YEAR) + other * chosen.cushion_days or None


def length(first: dt.date | None, last: dt.date | None) -> int:
    """Return the days from first to last, both included; 0 if either is None."""
    return 0 if first is None or last is None else (last - first).days + 1


def _rounded(total: int, count: int) -> int:
    """Return the quotient rounded half up, 0 for a count of 0."""
    return (2 * total + count) // (2 * count) if count else 0
