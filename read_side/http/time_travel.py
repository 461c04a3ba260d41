"""The shop as it was known earlier: which replay a request reads, and GET /replays/{id}."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from shared.errors import ReplayExpired, ReplayNotFound, ReplayNotReady
from shared.http.app import Principal, example, ok, owner, refuses

router = APIRouter(tags=["Time travel"])
HEADER = "X-Replay"

# Returns nothing of interest; for the rest of the transaction there are no replays but the business's own.
SET_TENANT = "SELECT set_config('app.business_id', %s, true)"
# Returns what became of a replay; one whose time has run out is expired, whatever its row says.
SELECT_REPLAY = """SELECT id, as_of, day, schemas, expires_at,
    CASE WHEN expires_at <= now() AND state IN ('pending', 'ready') THEN 'expired' ELSE state END
    FROM projections.replays WHERE id = %s AND business_id = %s"""
_EXAMPLE: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
            "as_of": "2025-11-03T23:59:59+06:00",
            "state": "ready",
            "expires_at": "2025-12-01T10:30:00+06:00",
        }
    )
}


@dataclass(frozen=True)
class Replay:
    """A replay as its row says; `day` is the date in Dhaka that it takes for today."""

    id: UUID
    as_of: dt.datetime
    day: dt.date
    schemas: list[str]
    expires_at: dt.datetime
    state: str


async def find(request: Request, business_id: int | None, text: str) -> Replay:
    """Return the business's replay of this id, looked up once per request; raises ReplayNotFound."""
    known: dict[str, Replay] = getattr(request.state, "replays", {})
    if text not in known:
        async with request.app.state.reader.connection() as conn:
            await conn.execute(SET_TENANT, (str(business_id or 0),))
            row = await (await conn.execute(SELECT_REPLAY, (_uuid(text), business_id))).fetchone()
        if row is None:
            raise ReplayNotFound(details={"id": text})
        known[text] = Replay(*row)
        request.state.replays = known
    return known[text]


async def asked(request: Request, business_id: int) -> Replay | None:
    """Return the replay that a request names by X-Replay and may read now.

    Raises ReplayNotFound, also where it is another business's, ReplayNotReady, ReplayExpired.
    """
    text = request.headers.get(HEADER)
    if text is None:
        return None
    replay = await find(request, business_id, text)
    if replay.state == "expired":
        raise ReplayExpired(details={"id": text})
    if replay.state != "ready":
        raise ReplayNotReady(details={"id": text, "state": replay.state}, retry_after=1)
    return replay


@router.get("/replays/{replay_id}", responses=_EXAMPLE, openapi_extra=refuses(ReplayNotFound))
async def show_replay(request: Request, who: Annotated[Principal, Depends(owner)], replay_id: str) -> Response:
    """Tell whether a replay is ready: `pending`, `ready`, `failed` or `expired`."""
    replay = await find(request, who.business_id, replay_id)
    dhaka = dt.timezone(dt.timedelta(hours=6))
    times = {"as_of": replay.as_of, "expires_at": replay.expires_at}
    shown = {name: at.astimezone(dhaka).isoformat(timespec="seconds") for name, at in times.items()}
    return ok({"id": str(replay.id), "state": replay.state, **shown})


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ReplayNotFound(details={"id": text[:64]}) from None
