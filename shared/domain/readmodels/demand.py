"""What a shop's read models tell of demand, read at one moment.

Everything is read in one transaction of the caller's, which is REPEATABLE READ and begins with
`database.FIRST_STATEMENT`; so `based_on` holds for all of it. Quantities in thousandths, money in paisa.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from psycopg import Connection

from shared.domain.events.forecasting import BacktestWindow
from shared.domain.readmodels.checkpoints import Checkpoints, read_checkpoints

PROJECTIONS = ("sales", "inventory", "forecasting")
_FORETOLD = msgspec.json.Decoder(dict[str, list[int]])

# Returns how many sales each product has.
SELECT_TRANSACTIONS = "SELECT id, sales FROM products WHERE business_id = %(business)s"
# Returns how each product was last forecast for a horizon: when, from how many sales, with what champion.
SELECT_KNOWN = """SELECT product_id, made_on, have, champion FROM forecasts
    WHERE business_id = %(business)s AND horizon = %(horizon)s
        AND (%(products)s::bigint[] IS NULL OR product_id = ANY(%(products)s::bigint[]))"""
# Returns the last day with sales, no later than today.
SELECT_HORIZON = """SELECT max(date) FROM sales_days
    WHERE business_id = %(business)s AND sales > 0 AND date <= %(today)s::date"""
# Returns what was sold of products on each day up to today.
SELECT_SOLD = """SELECT product_id, date, sum(units)::bigint FROM product_days
    WHERE business_id = %(business)s AND product_id = ANY(%(products)s::bigint[]) AND date <= %(today)s::date
    GROUP BY product_id, date ORDER BY product_id, date"""
# Returns the units that products are sold in.
SELECT_UNITS = """SELECT product_id, unit FROM goods
    WHERE business_id = %(business)s AND product_id = ANY(%(products)s::bigint[])"""
# Returns what was taken in at the counter on each day up to today, sales on credit aside, and by how many sales.
SELECT_TAKINGS = """SELECT date, sum(paisa)::bigint, sum(sales)::bigint FROM sales_days
    WHERE business_id = %(business)s AND payment_method <> 'credit' AND date <= %(today)s::date
    GROUP BY date ORDER BY date"""
# Returns when takings were last forecast, and from which data.
SELECT_TOLD_TAKINGS = "SELECT made_on, data_version FROM revenue_forecasts WHERE business_id = %(business)s"
# Returns what the models foretold as of the last weeks of products, the oldest first.
SELECT_WINDOWS = """SELECT product_id, cutoff, known, foretold FROM forecast_windows
    WHERE business_id = %(business)s AND product_id = ANY(%(products)s::bigint[]) AND cutoff > %(today)s::date - 91
    ORDER BY product_id, cutoff"""
TAKINGS = 0
"""The product under which the windows of the shop's takings are kept."""


class Known(NamedTuple):
    """How a product was last forecast; None where it never was."""

    made_on: dt.date | None
    transactions: int
    champion: str | None


class Takings(NamedTuple):
    """What was taken in per day, by how many sales in all, when it was last forecast and from which data."""

    days: Mapping[dt.date, int]
    sales: int
    made_on: dt.date | None
    data_version: int | None


class Demand:
    """Reads the signals of one shop as of a day."""

    def __init__(self, conn: Connection[Any], business_id: int, today: dt.date) -> None:
        """Read over a connection that is within a read transaction of the shop."""
        self._conn = conn
        self._known: dict[str, Any] = {"business": business_id, "today": today}

    def checkpoints(self) -> Checkpoints:
        """Return the checkpoints of the read models for the shop."""
        return read_checkpoints(self._conn, self._known["business"], PROJECTIONS)

    def transactions(self) -> dict[int, int]:
        """Return how many sales each product has."""
        return dict(self._conn.execute(SELECT_TRANSACTIONS, self._known).fetchall())

    def known(self, horizon: int, products: Sequence[int] | None = None) -> dict[int, Known]:
        """Return how products, all unless named, were last forecast for a horizon."""
        wanted = {**self._known, "horizon": horizon, "products": None if products is None else list(products)}
        rows = self._conn.execute(SELECT_KNOWN, wanted).fetchall()
        return {product: Known(made_on, have or 0, champion) for product, made_on, have, champion in rows}

    def windows(self, products: Sequence[int]) -> dict[int, list[BacktestWindow]]:
        """Return what the models foretold as of the last weeks of products, or of TAKINGS."""
        found: dict[int, list[BacktestWindow]] = defaultdict(list)
        for product, cutoff, known, foretold in self._conn.execute(
            SELECT_WINDOWS, {**self._known, "products": list(products)}
        ):
            found[product].append(BacktestWindow(cutoff, known, _FORETOLD.decode(foretold)))
        return found

    def horizon(self) -> dt.date | None:
        """Return the day up to which the shop's data reach."""
        row = self._conn.execute(SELECT_HORIZON, self._known).fetchone()
        return row[0] if row else None

    def sold(self, products: Sequence[int]) -> dict[int, dict[dt.date, int]]:
        """Return what was sold of each product per day."""
        found: dict[int, dict[dt.date, int]] = defaultdict(dict)
        for product, date, units in self._conn.execute(SELECT_SOLD, {**self._known, "products": list(products)}):
            found[product][date] = units
        return found

    def units(self, products: Sequence[int]) -> dict[int, str | None]:
        """Return the units of products of which any is known."""
        return dict(self._conn.execute(SELECT_UNITS, {**self._known, "products": list(products)}).fetchall())

    def takings(self) -> Takings:
        """Return what the shop took in, and how that was last forecast."""
        rows = self._conn.execute(SELECT_TAKINGS, self._known).fetchall()
        told = self._conn.execute(SELECT_TOLD_TAKINGS, self._known).fetchone() or (None, None)
        return Takings({date: paisa for date, paisa, _ in rows}, sum(count for *_, count in rows), *told)
