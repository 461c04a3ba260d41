"""The takings that a projection of cash begins with: as they were forecast, where that was lately."""

import datetime as dt

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.rows import row_or_none
from shared.domain.readmodels.takings import SELECT_TAKINGS, Takings, parameters, takings_after


async def expected_takings(conn: AsyncConnection[TupleRow], business_id: int, today: dt.date) -> Takings | None:
    """Return what a shop was told it will take in on the days after `today`; None where nothing was, or long ago."""
    return takings_after(await row_or_none(conn, SELECT_TAKINGS, parameters(business_id, today)), today)
