"""The log itself, for operators: what happened, in order; personal data stays sealed."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from shared.errors import EventNotFound, InvalidQuery
from shared.http.app import Limit, Principal, PublicId, example, ok, refuses, staff

router = APIRouter(prefix="/admin", tags=["Admin"])
Staff = Annotated[Principal, Depends(staff)]

# Returns the position of the last event.
SELECT_HEAD = "SELECT coalesce(max(notification_id), 0) AS head FROM log.events"
# Returns events after a position, in order; those of a business without those that concern every business.
SELECT_EVENTS = """SELECT position, stream, version, topic, business_id, recorded_at, meta, data FROM log.history
    WHERE position > %(after)s AND (%(business)s::bigint IS NULL OR business_id = %(business)s)
        AND (%(topic)s::text IS NULL OR topic = %(topic)s)
    ORDER BY position LIMIT %(limit)s"""
# Returns one event, with its link of the chain.
SELECT_EVENT = """SELECT position, stream, version, topic, business_id, recorded_at, meta, data, hash FROM log.history
    WHERE position = %s"""
_EVENT = {
    "position": 17,
    "stream": "upload-7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
    "version": 1,
    "topic": "sales.UploadAccepted",
    "business_id": 7,
    "recorded_at": "2025-11-03T04:30:00Z",
    "meta": {"actor": "user-12", "request_id": "0b7d3c52-5f0c-4a0e-8f3b-1f1a7c1b9d01"},
    "data": {"file_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11", "file_name": "may.csv"},
}
_EXAMPLE: dict[int | str, dict[str, Any]] = {200: example({"results": [_EVENT], "head": 1042, "next_after": 17})}
_ONE: dict[int | str, dict[str, Any]] = {200: example({**_EVENT, "hash": "9f86d081884c7d65…"})}


class EventsQuery(BaseModel):
    """Filters of the log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    business_id: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None
    topic: Annotated[str | None, Field(max_length=100, examples=["sales.UploadAccepted"])] = None
    after: Annotated[int, Field(ge=0, le=2**63 - 1, description="Only later positions")] = 0
    limit: Limit = 50


@router.get("/events", responses=_EXAMPLE)
def list_events(request: Request, _: Staff, query: Annotated[EventsQuery, Query()]) -> Response:
    """Return events in the order of the log; go on with `after` = `next_after`, which is null at the end."""
    said = {"after": query.after, "business": query.business_id, "topic": query.topic, "limit": query.limit + 1}
    with request.app.state.store.cursor() as cursor:
        head = cursor.execute(SELECT_HEAD).fetchone()["head"]
        if query.after > head:
            expected = f"0-{head}"
            raise InvalidQuery(
                details={"parameter": "after", "expected": expected, "head": head}, parameter="after", expected=expected
            )
        rows = cursor.execute(SELECT_EVENTS, said).fetchall()
    page = rows[: query.limit]
    more = len(rows) > query.limit
    return ok({"results": page, "head": head, "next_after": page[-1]["position"] if more else None})


@router.get("/events/{position}", responses=_ONE, openapi_extra=refuses(EventNotFound))
def show_event(request: Request, _: Staff, position: PublicId) -> Response:
    """Return one event with its link of the hash chain."""
    with request.app.state.store.cursor() as cursor:
        row = cursor.execute(SELECT_EVENT, (position,)).fetchone()
        head = cursor.execute(SELECT_HEAD).fetchone()["head"]
    if row is None:
        raise EventNotFound(details={"position": position, "head": head}, head=head)
    return ok(row)
