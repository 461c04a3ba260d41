"""The business day, read at the edge: shops of Bangladesh live in Asia/Dhaka."""

import datetime as dt
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from read_side.http.time_travel import HEADER, find
from shared.http.app import Principal, owner

DHAKA = ZoneInfo("Asia/Dhaka")


async def today(request: Request, who: Annotated[Principal, Depends(owner)]) -> dt.date:
    """Return the date in Dhaka now, or that of the replay the request asks. A dependency."""
    replay = request.headers.get(HEADER)
    return dt.datetime.now(DHAKA).date() if replay is None else (await find(request, who.business_id, replay)).day


Today = Annotated[dt.date, Depends(today)]
