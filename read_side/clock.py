"""The business day, read at the edge: shops of Bangladesh live in Asia/Dhaka."""

import datetime as dt
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends

DHAKA = ZoneInfo("Asia/Dhaka")


def today() -> dt.date:
    """Return the date in Dhaka now. A dependency."""
    return dt.datetime.now(DHAKA).date()


Today = Annotated[dt.date, Depends(today)]
