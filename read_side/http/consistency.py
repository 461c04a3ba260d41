"""Reading one's own writes: X-Min-Event-Position makes a query wait until its tables show that position."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request

from read_side.http.time_travel import asked
from shared.http.app import Principal
from shared.postgres.database import aside, await_position

HEADER = "X-Min-Event-Position"
# Seconds between looks for a row that may be on its way; a projection is rarely further behind than all of them.
_LOOKS = (0.02, 0.04, 0.08, 0.16)
_T = TypeVar("_T")


def shop_of(who: Principal) -> int:
    """Return the business of an owner; the dependency `owner` made sure there is one."""
    if who.business_id is None:
        msg = f"user {who.user_id} reads tables without a business"
        raise ValueError(msg)
    return who.business_id


async def freshly(request: Request, who: Principal, *projections: str) -> int:
    """Return the business to read for, once `projections` show it the position the request insists on.

    A request that names a replay reads that, and waits for nothing. Holds no connection while it waits. Raises
    InvalidPosition for a token that is not this business's, ProjectionBehind if the wait was too long,
    ProjectionParked if an event of the business stands in the way; and what `asked` raises.
    """
    business_id = shop_of(who)
    if replay := await asked(request, business_id):
        aside.set(", ".join(replay.schemas))
        return business_id
    token = request.headers.get(HEADER)
    if token is not None:
        position = request.app.state.positions.open(token, business_id)
        await await_position(request.app.state.reader, business_id, projections, position)
    return business_id


async def looked_for(read: Callable[[], Awaitable[_T | None]]) -> _T | None:
    """Return what `read` finds; looks again for a moment, since who asks may have just made it and kept no position."""
    found = await read()
    for pause in _LOOKS:
        if found is not None:
            break
        await asyncio.sleep(pause)
        found = await read()
    return found
