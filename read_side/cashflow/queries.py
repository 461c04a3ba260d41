"""The facts of a shop's cash, read for a query."""

import datetime as dt

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.rows import rows_of
from shared.domain.readmodels import cash
from shared.domain.readmodels.cash import Facts


async def load(conn: AsyncConnection[TupleRow], business_id: int, today: dt.date) -> Facts:
    """Return the facts of a shop as of a day."""
    known = cash.parameters(business_id, today)
    rows = cash.Rows(*[await rows_of(conn, statement, known) for statement in cash.STATEMENTS])
    names = await rows_of(conn, cash.SELECT_NAMES, {"business": business_id, "ids": cash.largest_debtors(rows)})
    return cash.facts(today, rows, names)
