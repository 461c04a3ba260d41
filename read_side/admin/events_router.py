"""GET /admin/events: the event log in order, for operators; personal data stays sealed."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from read_side.admin.schemas import ChainedEvent, EventPage
from shared.errors import InvalidQuery
from shared.http.answers import answers
from shared.http.app import Limit, PublicId, ok, refuses
from shared.http.dependencies import Deps, Staff
from shared.operator_errors import EventNotFound

router = APIRouter(prefix="/admin", tags=["Admin"])

# Selects the position of the last event.
SELECT_HEAD = "SELECT coalesce(max(notification_id), 0) AS head FROM log.events"
# Selects events after a position in order; of one business without the global events.
SELECT_EVENTS = """SELECT position, stream, version, topic, business_id, recorded_at, meta, data FROM log.history
    WHERE position > %(after)s AND (%(business)s::bigint IS NULL OR business_id = %(business)s)
        AND (%(topic)s::text IS NULL OR topic = %(topic)s)
    ORDER BY position LIMIT %(limit)s"""
# Selects one event with its hash.
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
_EXAMPLE = answers(EventPage, {"results": [_EVENT], "head": 1042, "next_after": 17})
_ONE = answers(ChainedEvent, {**_EVENT, "hash": "9f86d081884c7d65…"})


class EventsQuery(BaseModel):
    """Filters of the list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    business_id: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None
    topic: Annotated[str | None, Field(max_length=100, examples=["sales.UploadAccepted"])] = None
    after: Annotated[int, Field(ge=0, le=2**63 - 1, description="Only later positions")] = 0
    limit: Limit = 50


@router.get("/events", responses=_EXAMPLE)
def list_events(deps: Deps, _: Staff, query: Annotated[EventsQuery, Query()]) -> Response:
    """Return events in the order of the log; the next page has `after` = `next_after`, null on the last page."""
    parameters = {"after": query.after, "business": query.business_id, "topic": query.topic, "limit": query.limit + 1}
    with deps.store.cursor() as cursor:
        head = cursor.execute(SELECT_HEAD).fetchall()[0]["head"]
        if query.after > head:
            expected = f"0-{head}"
            raise InvalidQuery(
                details={"parameter": "after", "expected": expected, "head": head}, parameter="after", expected=expected
            )
        rows = cursor.execute(SELECT_EVENTS, parameters).fetchall()
    page = rows[: query.limit]
    more = len(rows) > query.limit
    return ok({"results": page, "head": head, "next_after": page[-1]["position"] if more else None})


@router.get("/events/{position}", responses=_ONE, openapi_extra=refuses(EventNotFound))
def show_event(deps: Deps, _: Staff, position: PublicId) -> Response:
    """Return one event with its hash in the chain."""
    with deps.store.cursor() as cursor:
        row = cursor.execute(SELECT_EVENT, (position,)).fetchone()
        head = cursor.execute(SELECT_HEAD).fetchall()[0]["head"]
    if row is None:
        raise EventNotFound(details={"position": position, "head": head}, head=head)
    return ok(row)
