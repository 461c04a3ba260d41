"""Time travel: the replay that a request reads with X-Replay, and GET /replays/{id}."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from shared.errors import ReplayExpired, ReplayNotFound, ReplayNotReady
from shared.http.answers import ListOf, answers
from shared.http.app import Limit, Page, links, ok, refuses
from shared.http.dependencies import Deps, Owner, ReaderPool
from shared.http.pagination import MAX_OFFSET
from shared.postgres import generation_states as states
from shared.runtime.business_day import local_text

router = APIRouter(tags=["Time travel"])
HEADER = "X-Replay"

# Restricts the transaction to the business's own replays by row-level security.
SET_TENANT = "SELECT set_config('app.business_id', %s, true)"
# Selects a replay of a business. One past its `expires_at` is expired, even before its row says so.
SELECT_REPLAY = """SELECT id, as_of, happened_until, day, schemas, expires_at, books_begin,
    CASE WHEN expires_at <= now() AND state = ANY(%(usable)s) THEN %(expired)s ELSE state END
    FROM projections.replays WHERE id = %(id)s AND business_id = %(business)s"""
_STATES = {"usable": [states.ReplayState.PENDING, states.ReplayState.READY], "expired": states.ReplayState.EXPIRED}


# Selects a page of the replays of a business, newest first, and their number.
SELECT_REPLAYS = f"""{SELECT_REPLAY.replace("WHERE id = %(id)s AND", "WHERE")}
    ORDER BY created_at DESC, id OFFSET %(offset)s LIMIT %(limit)s"""
COUNT_REPLAYS = "SELECT count(*) FROM projections.replays WHERE business_id = %(business)s"


class ReplayState(BaseModel):
    """A replay of the shop to an earlier day."""

    id: UUID
    as_of: Annotated[dt.datetime, Field(description="The same as `known_at`")]
    known_at: Annotated[dt.datetime, Field(description="Local time with offset (Asia/Dhaka)")]
    happened_until: Annotated[dt.date | None, Field(description="Entries of later business dates are left out")]
    books_begin: Annotated[
        dt.date | None, Field(description="With happened_until: the first business date in the books known, if any")
    ]
    state: Literal[
        states.ReplayState.PENDING, states.ReplayState.READY, states.ReplayState.FAILED, states.ReplayState.EXPIRED
    ]
    expires_at: dt.datetime


class ReplaysQuery(BaseModel):
    """The page of the list; a shop has few replays, so it has no cursor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Limit = 20
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="Items to skip")


class ReplayList(ListOf[ReplayState]):
    """One page of replays, newest first."""


_REPLAY = {
    "id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
    "as_of": "2025-12-01T10:00:00+06:00",
    "known_at": "2025-12-01T10:00:00+06:00",
    "happened_until": "2025-11-03",
    "books_begin": "2025-08-01",
    "state": "ready",
    "expires_at": "2025-12-01T10:30:00+06:00",
}
_EXAMPLE = answers(ReplayState, _REPLAY)
_LIST = answers(
    ReplayList, {"count": 1, "next": None, "previous": None, "results": [_REPLAY], "next_cursor": None}, "One page"
)


@dataclass(frozen=True)
class Replay:
    """A row of `projections.replays`; `day` is the date in Dhaka that counts as today."""

    id: UUID
    as_of: dt.datetime
    happened_until: dt.date | None
    day: dt.date
    schemas: list[str]
    expires_at: dt.datetime
    books_begin: dt.date | None
    state: str


async def find_replay(request: Request, reader: ReaderPool, business_id: int | None, text: str) -> Replay:
    """Return the business's replay with this id, selected once per request; raises ReplayNotFound."""
    known: dict[str, Replay] = getattr(request.state, "replays", {})
    if text not in known:
        async with reader.connection() as conn:
            await conn.execute(SET_TENANT, (str(business_id or 0),))
            wanted = {"id": _uuid(text), "business": business_id, **_STATES}
            row = await (await conn.execute(SELECT_REPLAY, wanted)).fetchone()
        if row is None:
            raise ReplayNotFound(details={"id": text})
        known[text] = Replay(*row)
        request.state.replays = known
    return known[text]


async def requested_replay(request: Request, reader: ReaderPool, business_id: int) -> Replay | None:
    """Return the replay that X-Replay names, None without the header.

    Raises ReplayNotFound (also for a replay of another business), ReplayNotReady, ReplayExpired.
    """
    text = request.headers.get(HEADER)
    if text is None:
        return None
    replay = await find_replay(request, reader, business_id, text)
    if replay.state == states.ReplayState.EXPIRED:
        raise ReplayExpired(details={"id": text})
    if replay.state != states.ReplayState.READY:
        raise ReplayNotReady(details={"id": text, "state": replay.state}, retry_after=1)
    return replay


@router.get("/replays/{replay_id}", responses=_EXAMPLE, openapi_extra=refuses(ReplayNotFound))
async def show_replay(request: Request, deps: Deps, who: Owner, replay_id: str) -> Response:
    """Return a replay; its `state` is `pending`, `ready`, `failed` or `expired`."""
    return ok(_shown(await find_replay(request, deps.reader, who.business_id, replay_id)))


@router.get("/replays", responses=_LIST)
async def list_replays(request: Request, deps: Deps, who: Owner, query: Annotated[ReplaysQuery, Query()]) -> Response:
    """Return the replays of the shop, newest first."""
    page = Page(query.limit, query.offset)
    async with deps.reader.connection() as conn:
        await conn.execute(SET_TENANT, (str(who.business_id or 0),))
        wanted = {"business": who.business_id, "offset": page.offset, "limit": page.limit, **_STATES}
        rows = await (await conn.execute(SELECT_REPLAYS, wanted)).fetchall()
        counted = await (await conn.execute(COUNT_REPLAYS, wanted)).fetchone()
    count = counted[0] if counted else 0
    following, previous = links(request, page, count)
    shown = [_shown(Replay(*row)) for row in rows]
    return ok({"count": count, "next": following, "previous": previous, "results": shown, "next_cursor": None})


def _shown(replay: Replay) -> dict[str, Any]:
    known = local_text(replay.as_of)
    dates = {"happened_until": replay.happened_until, "books_begin": replay.books_begin}
    times = {"as_of": known, "known_at": known, **dates, "expires_at": local_text(replay.expires_at)}
    return {"id": str(replay.id), "state": replay.state, **times}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ReplayNotFound(details={"id": text[:64]}) from None
