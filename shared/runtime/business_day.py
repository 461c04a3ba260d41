"""The business day: the dates and wall-clock times of all shops are those of Asia/Dhaka."""

import datetime as dt
from zoneinfo import ZoneInfo

DHAKA = ZoneInfo("Asia/Dhaka")
ZONE = DHAKA.key
"""The zone's name, as a parameter of `AT TIME ZONE`."""


def date_of(moment: dt.datetime) -> dt.date:
    """Return the business date of a moment (with offset)."""
    return moment.astimezone(DHAKA).date()


def start_of(day: dt.date) -> dt.datetime:
    """Return the moment at which a business date begins."""
    return dt.datetime.combine(day, dt.time.min, DHAKA)


def local_text(moment: dt.datetime) -> str:
    """Return a moment as ISO 8601 text in local time, to the second."""
    return moment.astimezone(DHAKA).isoformat(timespec="seconds")
