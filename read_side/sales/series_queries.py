"""Selects the sums of sales per day, and groups them by day, week or month."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.rows import all_rows
from read_side.sales.queries import OF_DAYS, Filters

By = Literal["day", "week", "month"]
_DAY = dt.timedelta(1)
_WEEK_DAYS, _YEAR_MONTHS = 7, 12
# Selects the number of sales, thousandths and paisa of each day with sales from a rollup.
SELECT_DAYS = """SELECT date, sum(sales)::bigint, sum(units)::bigint, sum(paisa)::bigint
    FROM {rollup} WHERE {conditions} GROUP BY date"""


class Sums(NamedTuple):
    """The number of sales, thousandths of units, and paisa."""

    sales: int = 0
    units: int = 0
    paisa: int = 0

    def plus(self, other: "Sums") -> "Sums":
        """Return the sum of both."""
        return Sums(self.sales + other.sales, self.units + other.units, self.paisa + other.paisa)


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both included, in buckets of days, weeks (from Sunday) or months."""

    by: By
    first: dt.date
    last: dt.date

    def buckets(self) -> list[dt.date]:
        """Return the first day of each bucket; the first one may begin before the period."""
        found = [start_of(self.by, self.first)]
        while (following := moved(self.by, found[-1], 1)) <= self.last:
            found.append(following)
        return found

    def previous(self) -> "Period":
        """Return the period before, by the same number of buckets: the same days of the weeks or months before."""
        back = -len(self.buckets())
        return Period(self.by, moved(self.by, self.first, back), moved(self.by, self.last, back))


def start_of(by: By, day: dt.date) -> dt.date:
    """Return the first day of the bucket of a day."""
    if by == "week":
        return day - _DAY * ((day.weekday() + 1) % _WEEK_DAYS)
    return day.replace(day=1) if by == "month" else day


def moved(by: By, day: dt.date, buckets: int) -> dt.date:
    """Return a day a number of buckets later; the last day of a month if it is shorter."""
    if by != "month":
        return day + _DAY * buckets * (_WEEK_DAYS if by == "week" else 1)
    years, month = divmod(day.month - 1 + buckets, _YEAR_MONTHS)
    first = dt.date(day.year + years, month + 1, 1)
    days = ((first + _DAY * 31).replace(day=1) - first).days
    return first.replace(day=min(day.day, days))


def grouped(period: Period, days: Mapping[dt.date, Sums]) -> list[tuple[dt.date, Sums]]:
    """Return the sums of every bucket of the period, without sales 0."""
    sums = dict.fromkeys(period.buckets(), Sums())
    for day, values in days.items():
        bucket = start_of(period.by, day)
        sums[bucket] = sums[bucket].plus(values)
    return list(sums.items())


async def read(
    conn: AsyncConnection[TupleRow], business_id: int, filters: Filters, period: Period
) -> list[tuple[dt.date, Sums]]:
    """Return the sums of every bucket, from the rollup of the filters."""
    parameters = {**filters.parameters(), "first": period.first, "last": period.last}
    conditions = " AND ".join([OF_DAYS["business"], *(OF_DAYS[name] for name in parameters)])
    statement = SELECT_DAYS.format(rollup=filters.days, conditions=conditions)
    rows = await all_rows(conn, statement, {"business": business_id, **parameters})
    return grouped(period, {day: Sums(*values) for day, *values in rows})
