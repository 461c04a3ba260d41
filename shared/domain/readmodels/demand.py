"""Reads the demand of a shop from its read models, as the input of forecasts.

All statements run in one REPEATABLE READ transaction of the caller that begins with `database.FIRST_STATEMENT`, so that
`based_on` applies to all of them. Quantities in thousandths, money in paisa.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from psycopg import Connection

from shared.domain.events.forecasting import BacktestWindow
from shared.domain.readmodels.checkpoints import Checkpoints, read_checkpoints
from shared.domain.rules.stock_outs import Movement, StockOuts, stock_outs

PROJECTIONS = ("sales", "inventory", "forecasting")
_PREDICTIONS = msgspec.json.Decoder(dict[str, list[int]])

# Counts the sales of each product.
SELECT_TRANSACTIONS = "SELECT id, sales FROM products WHERE business_id = %(business)s"
# Selects date, number of sales and best model of the last forecast of each product for a horizon.
SELECT_KNOWN = """SELECT product_id, made_on, have, champion FROM forecasts
    WHERE business_id = %(business)s AND horizon = %(horizon)s
        AND (%(products)s::bigint[] IS NULL OR product_id = ANY(%(products)s::bigint[]))"""
# Selects the last day with sales, at the latest today.
SELECT_HORIZON = """SELECT max(date) FROM sales_days
    WHERE business_id = %(business)s AND sales > 0 AND date <= %(today)s::date"""
# Selects the units sold of products per day, up to today.
SELECT_SOLD = """SELECT product_id, date, greatest(sum(units), 0)::bigint FROM product_days
    WHERE business_id = %(business)s AND product_id = ANY(%(products)s::bigint[]) AND date <= %(today)s::date
    GROUP BY product_id, date ORDER BY product_id, date"""
# Selects the units of measure of products.
SELECT_UNITS = """SELECT product_id, unit FROM goods
    WHERE business_id = %(business)s AND product_id = ANY(%(products)s::bigint[])"""
# Selects the counts of products and their movements since the first one, up to today.
SELECT_MOVEMENTS = """WITH counted AS (
        SELECT product_id, min(at) AS first FROM stock_counts
        WHERE business_id = %(business)s AND product_id = ANY(%(products)s::bigint[]) AND counts > 0
        GROUP BY product_id),
    moves AS (
        SELECT product_id, day * 86400::bigint + second AS at, 0::bigint AS recorded, moved, sold
        FROM stock_flow JOIN counted USING (product_id)
        WHERE business_id = %(business)s AND day >= first / 86400
        UNION ALL SELECT product_id, coalesce(at, told_at), coalesce(recorded, 0), moved, sold
        FROM stock_entries JOIN counted USING (product_id)
        WHERE business_id = %(business)s AND coalesce(at, told_at) >= first)
    SELECT product_id, at, recorded, quantity, true FROM stock_counts
    WHERE business_id = %(business)s AND product_id = ANY(%(products)s::bigint[]) AND counts > 0
    UNION ALL SELECT product_id, at, recorded, moved, false FROM moves WHERE moved <> 0
    UNION ALL SELECT product_id, at, recorded, -sold, false FROM moves WHERE sold <> 0"""
# Selects takings and number of sales per day up to today, without sales on credit.
SELECT_TAKINGS = """SELECT date, greatest(sum(paisa), 0)::bigint, sum(sales)::bigint FROM sales_days
    WHERE business_id = %(business)s AND payment_method <> 'credit' AND date <= %(today)s::date
    GROUP BY date ORDER BY date"""
# Selects date and data version of the last forecast of takings.
SELECT_TAKINGS_FORECAST = "SELECT made_on, data_version FROM revenue_forecasts WHERE business_id = %(business)s"
# Selects the backtest predictions of the models for products in the last 91 days, oldest first.
SELECT_WINDOWS = """SELECT product_id, cutoff, known, foretold FROM forecast_windows
    WHERE business_id = %(business)s AND product_id = ANY(%(products)s::bigint[]) AND cutoff > %(today)s::date - 91
    ORDER BY product_id, cutoff"""
TAKINGS = 0
"""The product id of the backtest windows of the shop's takings."""


class Known(NamedTuple):
    """The last forecast of a product; None if there is none."""

    made_on: dt.date | None
    transactions: int
    champion: str | None


class Takings(NamedTuple):
    """Takings per day, the number of all sales, and date and data version of the last forecast."""

    days: Mapping[dt.date, int]
    sales: int
    made_on: dt.date | None
    data_version: int | None


class Demand:
    """Reads the demand of one shop as of a day."""

    def __init__(self, conn: Connection[Any], business_id: int, today: dt.date) -> None:
        """Read over a connection within a read transaction of the shop."""
        self._conn = conn
        self._known: dict[str, Any] = {"business": business_id, "today": today}

    def checkpoints(self) -> Checkpoints:
        """Return the checkpoints of the read models for the shop."""
        return read_checkpoints(self._conn, self._known["business"], PROJECTIONS)

    def transactions(self) -> dict[int, int]:
        """Return the number of sales of each product."""
        return dict(self._conn.execute(SELECT_TRANSACTIONS, self._known).fetchall())

    def known(self, horizon: int, products: Sequence[int] | None = None) -> dict[int, Known]:
        """Return the last forecast of products (default: all) for a horizon."""
        wanted = {**self._known, "horizon": horizon, "products": None if products is None else list(products)}
        rows = self._conn.execute(SELECT_KNOWN, wanted).fetchall()
        return {product: Known(made_on, have or 0, champion) for product, made_on, have, champion in rows}

    def windows(self, products: Sequence[int]) -> dict[int, list[BacktestWindow]]:
        """Return the backtest windows of products, or of TAKINGS."""
        found: dict[int, list[BacktestWindow]] = defaultdict(list)
        for product, cutoff, known, predictions in self._conn.execute(
            SELECT_WINDOWS, {**self._known, "products": list(products)}
        ):
            found[product].append(BacktestWindow(cutoff, known, _PREDICTIONS.decode(predictions)))
        return found

    def horizon(self) -> dt.date | None:
        """Return the last day of the shop's data."""
        row = self._conn.execute(SELECT_HORIZON, self._known).fetchone()
        return row[0] if row else None

    def sold(self, products: Sequence[int]) -> dict[int, dict[dt.date, int]]:
        """Return the units sold of each product per day, in thousandths."""
        found: dict[int, dict[dt.date, int]] = defaultdict(dict)
        for product, date, units in self._conn.execute(SELECT_SOLD, {**self._known, "products": list(products)}):
            found[product][date] = units
        return found

    def stock_outs(self, products: Sequence[int], until: dt.date) -> dict[int, StockOuts]:
        """Return the days up to `until` on which the stock of products was gone."""
        found: dict[int, list[Movement]] = defaultdict(list)
        for product, *movement in self._conn.execute(SELECT_MOVEMENTS, {**self._known, "products": list(products)}):
            found[product].append(Movement(*movement))
        return {product: stock_outs(movements, until) for product, movements in found.items()}

    def units(self, products: Sequence[int]) -> dict[int, str | None]:
        """Return the units of measure of products that have details."""
        return dict(self._conn.execute(SELECT_UNITS, {**self._known, "products": list(products)}).fetchall())

    def takings(self) -> Takings:
        """Return the takings of the shop and their last forecast."""
        rows = self._conn.execute(SELECT_TAKINGS, self._known).fetchall()
        forecast = self._conn.execute(SELECT_TAKINGS_FORECAST, self._known).fetchone() or (None, None)
        return Takings({date: paisa for date, paisa, _ in rows}, sum(count for *_, count in rows), *forecast)
