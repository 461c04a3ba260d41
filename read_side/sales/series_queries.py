"""Sums of sales per day, week or month, from the daily rollups."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.rows import all_rows

By = Literal["day", "week", "month"]
_DAY: Final = dt.timedelta(1)

# Selects the sums of each day of a period, over all products or of one; days without sales have no row.
SELECT_DAYS = """SELECT date, sum(sales)::bigint, sum(units)::bigint, sum(paisa)::bigint FROM {rollup}
    WHERE business_id = %(business)s AND date BETWEEN %(first)s AND %(last)s
        AND (%(payment)s::text IS NULL OR payment_method = %(payment)s) {product}
    GROUP BY date"""
OF_ALL = SELECT_DAYS.format(rollup="sales_days", product="")
OF_PRODUCT = SELECT_DAYS.format(rollup="product_days", product="AND product_id = %(product)s")


@dataclass(frozen=True, slots=True)
class Period:
    """Business dates, both inclusive."""

    first: dt.date
    last: dt.date

    def before(self) -> "Period":
        """Return the period of equal length that ends the day before this one begins."""
        return Period(self.first - (self.last - self.first) - _DAY, self.first - _DAY)


@dataclass(slots=True)
class Sums:
    """What was sold: number of sales, thousandths of units, paisa."""

    sales: int = 0
    units: int = 0
    paisa: int = 0

    def add(self, other: "Sums") -> None:
        """Add the other's sums to these."""
        self.sales, self.units, self.paisa = (
            self.sales + other.sales,
            self.units + other.units,
            self.paisa + other.paisa,
        )


def start_of(day: dt.date, by: By) -> dt.date:
    """Return the first day of the day's bucket; weeks begin on Sunday, as in Bangladesh."""
    if by == "month":
        return day.replace(day=1)
    return day - dt.timedelta(day.isoweekday() % 7) if by == "week" else day


def starts(period: Period, by: By) -> list[dt.date]:
    """Return the first day of every bucket that the period touches, in order; the first may be before the period."""
    days = ((period.first + dt.timedelta(n)) for n in range((period.last - period.first).days + 1))
    return list(dict.fromkeys(start_of(day, by) for day in days))


def bucketed(days: Mapping[dt.date, Sums], period: Period, by: By) -> list[tuple[dt.date, Sums]]:
    """Return the sums of every bucket of the period, in order; buckets without sales have zeros."""
    buckets = {start: Sums() for start in starts(period, by)}
    for day, sums in days.items():
        buckets[start_of(day, by)].add(sums)
    return list(buckets.items())


def total(buckets: Iterable[tuple[dt.date, Sums]]) -> Sums:
    """Return the sum of all buckets."""
    whole = Sums()
    for _, sums in buckets:
        whole.add(sums)
    return whole


async def read_days(
    conn: AsyncConnection[TupleRow], business_id: int, period: Period, product: int | None, payment: str | None
) -> dict[dt.date, Sums]:
    """Return the sums of the days of a period on which something was sold."""
    parameters = {"business": business_id, "first": period.first, "last": period.last, "payment": payment}
    if product is None:
        rows = await all_rows(conn, OF_ALL, parameters)
    else:
        rows = await all_rows(conn, OF_PRODUCT, parameters | {"product": product})
    return {day: Sums(*sums) for day, *sums in rows}
