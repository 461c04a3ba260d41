"""Selects what the cash projection of a business is computed from."""

import datetime as dt

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.rows import all_rows
from shared.domain.readmodels import cash
from shared.domain.readmodels.cash import Facts


async def load(conn: AsyncConnection[TupleRow], business_id: int, today: dt.date) -> Facts:
    """Return the cash facts of a business as of a day."""
    reading = cash.reading(business_id, today)
    query = next(reading)
    while True:
        rows = await all_rows(conn, *query)
        try:
            query = reading.send(rows)
        except StopIteration as done:
            facts: Facts = done.value
            return facts
