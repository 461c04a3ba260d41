"""GET /events/stream: server-sent events about imports, forecasts, advice and, for staff, generations."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response, StreamingResponse

from read_side.http.event_streams import EventStreams, Source, frame
from read_side.notices.queries import SESSION, generations_of, notices_of, session_ended
from read_side.notices.schemas import STREAM
from shared.domain.refusals.notices import InvalidLastEventId, TooManyStreams
from shared.errors import Forbidden, InvalidPosition, NotAuthenticated, ServiceDegraded
from shared.http.app import refuses
from shared.http.dependencies import Caller, Deps
from shared.http.tokens import Principal

router = APIRouter(tags=["Notices"])
MOST_PER_USER = 5
MOST = 1000
_RETRY_SECONDS = 10
_FIRST = b"retry: 2000\n\n"
_HEARTBEAT = b":\n\n"


class EventStreamResponse(StreamingResponse):
    """A response of server-sent events."""

    media_type = "text/event-stream"


@router.get(
    "/events/stream",
    response_class=EventStreamResponse,
    responses=STREAM,
    openapi_extra=refuses(InvalidLastEventId, TooManyStreams, Forbidden),
)
async def stream_events(
    request: Request,
    deps: Deps,
    who: Caller,
    last_event_id: Annotated[str | None, Header(description="The `id` of the last event received")] = None,
) -> Response:
    """Send what happens as server-sent events, from now on or after `Last-Event-ID`.

    To be read by fetch with the Authorization header. An event is sent when queries see what it is about; of a subject
    that changes quickly only the latest state. Every 15 seconds without one a comment is sent. The stream ends with the
    token or its session: connect again with a new token and the last `id`. A user has at most five.
    """
    if who.business_id is None and not who.is_staff:
        raise Forbidden
    if who.business_id is not None and await session_ended(deps.reader, who.business_id, who.family):
        raise NotAuthenticated
    since = _position(deps, who, last_event_id)
    streams = deps.service(EventStreams)
    if streams.count(who.user_id) >= MOST_PER_USER:
        raise TooManyStreams(details={"limit": MOST_PER_USER}, retry_after=_RETRY_SECONDS, limit=MOST_PER_USER)
    if streams.open >= MOST or streams.closed:
        raise ServiceDegraded(retry_after=_RETRY_SECONDS)
    if getattr(request.state, "is_head", False):
        return EventStreamResponse(iter(()))
    return EventStreamResponse(_events(deps, who, since))


def _position(deps: Deps, who: Principal, last_event_id: str | None) -> int | None:
    """Return the position of the last event; raises InvalidLastEventId."""
    if last_event_id is None:
        return None
    try:
        return deps.positions.open(last_event_id, who.business_id)
    except InvalidPosition:
        raise InvalidLastEventId from None


def _sources(deps: Deps, who: Principal, since: int | None) -> Sequence[Source]:
    own = [notices_of(deps.reader, who.business_id, since)] if who.business_id is not None else []
    return [*own, *([generations_of(deps.store.cursor)] if who.is_staff else [])]


async def _events(deps: Deps, who: Principal, since: int | None) -> AsyncIterator[bytes]:
    streams, last = deps.service(EventStreams), since or 0
    async with streams.subscribed(who.user_id, _sources(deps, who, since)) as subscription:
        yield _FIRST
        async for items in streams.items(subscription, who.expires_at):
            if any(item.type == SESSION and item.subject == who.family for item in items):
                return
            frames = []
            for item in items:
                last = max(last, item.position)
                if item.type != SESSION:
                    frames.append(frame(deps.positions.seal(who.business_id, last), item))
            yield b"".join(frames) or _HEARTBEAT
