"""The due dates of recurring amounts."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

Interval = Literal["daily", "weekly", "monthly", "yearly"]
_MONTHS = {"monthly": 1, "yearly": 12}
_DAYS = {"daily": 1, "weekly": 7}


@dataclass(frozen=True)
class Recurring:
    """An amount in paisa that is due on `first` and then at an interval, for the last time before `ended`."""

    first: dt.date
    amount: int
    every: str
    ended: dt.date | None = None


def due_dates(what: Recurring, since: dt.date, until: dt.date) -> list[dt.date]:
    """Return the due dates from `since` to `until`, both included.

    Starting on the 31st, it is due on the last day of shorter months; starting on 29 February, on the 28th. Raises
    LookupError for an unknown interval.
    """
    last = until if what.ended is None else min(until, what.ended - dt.timedelta(1))
    if last < max(since, what.first):
        return []
    if what.every in _DAYS:
        step = _DAYS[what.every]
        skipped = max(0, -(-(since - what.first).days // step))
        start = what.first + dt.timedelta(skipped * step)
        return [start + dt.timedelta(days) for days in range(0, (last - start).days + 1, step)]
    step = _MONTHS[what.every]
    apart = 12 * (last.year - what.first.year) + last.month - what.first.month
    days = (_months_later(what.first, months) for months in range(0, apart + 1, step))
    return [day for day in days if since <= day <= last]


def _months_later(day: dt.date, months: int) -> dt.date:
    first = _first_of_month(day, months)
    last = _first_of_month(day, months + 1) - dt.timedelta(1)
    return min(first + dt.timedelta(day.day - 1), last)


def _first_of_month(day: dt.date, months: int) -> dt.date:
    years, month = divmod(day.month - 1 + months, 12)
    return dt.date(day.year + years, month + 1, 1)
