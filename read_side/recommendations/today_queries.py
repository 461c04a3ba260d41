"""What is known of a shop's books on a day, and why there may be nothing to do."""

import datetime as dt
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.rows import only_row

PROJECTIONS = ("sales", "uploads", "forecasting", "inventory")
STALE_DAYS = 14
# Selects the last day with a sale; whether a ledger waits for answers, and whether one is being read; whether forecasts
# are on their way; and whether the stock of any product is known.
SELECT_BOOKS = """SELECT
    (SELECT date FROM sales_days WHERE business_id = %(business)s AND sales > 0 ORDER BY date DESC LIMIT 1),
    EXISTS (SELECT FROM uploads WHERE business_id = %(business)s AND state = 'waiting'),
    EXISTS (SELECT FROM uploads WHERE business_id = %(business)s AND state IN ('pending', 'processing')),
    EXISTS (SELECT FROM forecast_runs WHERE business_id = %(business)s AND state = 'pending'
        AND coalesce(parts_done < parts, true)),
    EXISTS (SELECT FROM stock WHERE business_id = %(business)s AND stock_known)"""


class Books(NamedTuple):
    """The state of a shop's books; `data_as_of` is the last day with a sale."""

    data_as_of: dt.date | None
    import_waits: bool
    import_runs: bool
    forecasts_run: bool
    stock_known: bool

    def is_stale(self, today: dt.date) -> bool:
        """Return whether the last sale is too old for advice."""
        return self.data_as_of is not None and (today - self.data_as_of).days > STALE_DAYS

    def reason(self, today: dt.date) -> str:
        """Return why there is nothing to do."""
        if self.import_waits:
            return "question_waiting"
        if self.import_runs:
            return "import_running"
        if self.data_as_of is None:
            return "no_sales"
        if self.is_stale(today):
            return "stale"
        if self.forecasts_run:
            return "forecasts_pending"
        return "nothing_urgent" if self.stock_known else "stock_unknown"


async def books_of(conn: AsyncConnection[TupleRow], business_id: int) -> Books:
    """Return the state of a shop's books."""
    return Books(*await only_row(conn, SELECT_BOOKS, {"business": business_id}))
