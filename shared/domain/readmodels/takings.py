"""What a shop is expected to take in, as it was last told."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

# A forecast that is older than this many days says less than the weekdays' means.
LATEST_DAYS = 14

# Returns when the takings of a shop were last forecast, by which model, and what they are on each day after.
SELECT_TAKINGS = """SELECT made_on, model, takings FROM revenue_forecasts
    WHERE business_id = %(business)s AND made_on <= %(today)s::date AND made_on >= %(today)s::date - %(latest)s::int"""


class Takings(NamedTuple):
    """What is expected on each day after today, in paisa."""

    made_on: dt.date
    model: str
    days: Sequence[int]


def parameters(business_id: int, today: dt.date) -> dict[str, Any]:
    """Return what SELECT_TAKINGS takes."""
    return {"business": business_id, "today": today, "latest": LATEST_DAYS}


def takings_after(row: Sequence[Any] | None, today: dt.date) -> Takings | None:
    """Return what a row of SELECT_TAKINGS tells of the days after `today`, None without one."""
    if row is None:
        return None
    made_on, model, days = row
    return Takings(made_on, model, days[(today - made_on).days :])
