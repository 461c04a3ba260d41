"""Read-your-writes: X-Min-Event-Position makes a query wait until its tables have reached that position."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request

from read_side.http.time_travel import requested_replay
from shared.http.dependencies import Dependencies
from shared.http.tokens import Principal
from shared.postgres.database import await_position, replay_path

HEADER = "X-Min-Event-Position"
# Pauses in seconds between attempts to find a new row; a projection is rarely further behind than their sum.
_PAUSES = (0.02, 0.04, 0.08, 0.16)
_T = TypeVar("_T")


def business_of(who: Principal) -> int:
    """Return the business of an owner; the dependency `Owner` has checked that there is one."""
    if who.business_id is None:
        msg = f"user {who.user_id} has no business"
        raise ValueError(msg)
    return who.business_id


async def await_consistency(request: Request, deps: Dependencies, who: Principal, *projections: str) -> int:
    """Wait until `projections` have reached the position that the request requires; returns the business to read.

    A request with X-Replay reads that replay and does not wait. No connection is held while waiting. Raises
    InvalidPosition for a token of another business, ProjectionBehind after the longest wait, ProjectionParked if an
    event of the business cannot be applied; and what `requested_replay` raises.
    """
    business_id = business_of(who)
    if replay := await requested_replay(request, deps.reader, business_id):
        replay_path.set(", ".join(replay.schemas))
        return business_id
    token = request.headers.get(HEADER)
    if token is not None:
        position = deps.positions.open(token, business_id)
        await await_position(deps.reader, business_id, projections, position)
    return business_id


async def retry_until_found(read: Callable[[], Awaitable[_T | None]]) -> _T | None:
    """Return what `read` finds, after up to four retries: a client may ask for what it has just created."""
    found = await read()
    for pause in _PAUSES:
        if found is not None:
            break
        await asyncio.sleep(pause)
        found = await read()
    return found
