"""Selects the forecast of takings that a cash projection starts with."""

import datetime as dt

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.rows import first_row
from shared.domain.readmodels.takings import SELECT_TAKINGS, Takings, parameters, takings_after


async def expected_takings(conn: AsyncConnection[TupleRow], business_id: int, today: dt.date) -> Takings | None:
    """Return the newest forecast of takings for the days after `today`, None without a recent one."""
    return takings_after(await first_row(conn, SELECT_TAKINGS, parameters(business_id, today)), today)
