"""The last forecast of a shop's takings."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

# A forecast older than this is less accurate than weekday means.
LATEST_DAYS = 14

# Selects date, model and daily amounts of the last forecast of a shop's takings.
SELECT_TAKINGS = """SELECT made_on, model, takings FROM revenue_forecasts
    WHERE business_id = %(business)s AND made_on <= %(today)s::date AND made_on >= %(today)s::date - %(latest)s::int"""


class Takings(NamedTuple):
    """The expected takings of each day after today, in paisa."""

    made_on: dt.date
    model: str
    days: Sequence[int]


def parameters(business_id: int, today: dt.date) -> dict[str, Any]:
    """Return the parameters of SELECT_TAKINGS."""
    return {"business": business_id, "today": today, "latest": LATEST_DAYS}


def takings_after(row: Sequence[Any] | None, today: dt.date) -> Takings | None:
    """Return the takings of the days after `today` from a row of SELECT_TAKINGS, None without a row."""
    if row is None:
        return None
    made_on, model, days = row
    return Takings(made_on, model, days[(today - made_on).days :])
