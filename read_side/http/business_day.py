"""The business date a query refers to: today in Asia/Dhaka, or the date of the replay that the request reads."""

import datetime as dt
from typing import Annotated

from fastapi import Depends, Request

from read_side.http.time_travel import HEADER, find_replay
from shared.http.dependencies import Deps, Owner
from shared.runtime.business_day import date_of


async def today(request: Request, deps: Deps, who: Owner) -> dt.date:
    """Return the date in Dhaka now, or that of the replay. A dependency."""
    replay = request.headers.get(HEADER)
    if replay is None:
        return date_of(dt.datetime.now(dt.UTC))
    return (await find_replay(request, deps.reader, who.business_id, replay)).day


Today = Annotated[dt.date, Depends(today)]
