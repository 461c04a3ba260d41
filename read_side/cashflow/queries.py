"""Selects what the cash projection of a business is computed from."""

import datetime as dt

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.rows import all_rows
from shared.domain.readmodels import cash
from shared.domain.readmodels.cash import Facts


async def load(conn: AsyncConnection[TupleRow], business_id: int, today: dt.date) -> Facts:
    """Return the cash facts of a business as of a day."""
    known = cash.parameters(business_id, today)
    rows = cash.Rows(*[await all_rows(conn, statement, known) for statement in cash.STATEMENTS])
    names = await all_rows(conn, cash.SELECT_NAMES, {"business": business_id, "ids": cash.largest_debtors(rows)})
    return cash.facts(today, rows, names)
