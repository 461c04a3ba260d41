"""GET /admin/events: the event log, for operators; personal data stays sealed."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from read_side.admin.schemas import EventDetails, EventPage
from shared.errors import InvalidQuery
from shared.http.answers import answers
from shared.http.app import Limit, PublicId, ok, refuses
from shared.http.dependencies import Deps, Staff
from shared.http.pagination import QueryId
from shared.operator_errors import EventNotFound

router = APIRouter(prefix="/admin", tags=["Admin"])

# How many positions one request looks through where no index finds what is asked for.
_SCANNED = 100_000
# Selects the position of the last event.
SELECT_HEAD = "SELECT coalesce(max(notification_id), 0) AS head FROM log.events"
_WHERE = """position > %(after)s AND position < %(before)s
    AND (%(business)s::bigint IS NULL OR business_id = %(business)s)
    AND (%(stream)s::text IS NULL OR stream = %(stream)s)
    AND (%(topic)s::text IS NULL OR topic = %(topic)s)
    AND (%(actor)s::text IS NULL OR meta ->> 'actor' = %(actor)s)
    AND (%(request)s::text IS NULL OR meta ->> 'request_id' = %(request)s)"""
_COLUMNS = "position, stream, version, topic, business_id, recorded_at, meta, data"
# Selects events between two positions, the oldest or the newest first; of one business without the global events.
SELECT_EVENTS = {
    order: f"SELECT {_COLUMNS} FROM log.history WHERE {_WHERE} ORDER BY position {order} LIMIT %(limit)s"  # noqa: S608 - constants
    for order in ("asc", "desc")
}
# Selects the positions after which, and up to which, events were recorded in a period.
SELECT_PERIOD = """SELECT CASE WHEN %(since)s::timestamptz IS NULL THEN 0
        ELSE log.position_at(%(since)s::timestamptz - interval '1 microsecond') END AS after,
    CASE WHEN %(until)s::timestamptz IS NULL THEN NULL ELSE log.position_at(%(until)s::timestamptz) END AS upto"""
# Selects one event with its hash.
SELECT_EVENT = f"SELECT {_COLUMNS}, hash FROM log.history WHERE position = %s"  # noqa: S608 - constants
# Selects the events that led to one, the nearest first: each was recorded for the one after it in the list.
SELECT_CAUSES = """WITH RECURSIVE chain AS (
        SELECT e.notification_id AS position, (e.meta ->> 'causation')::bigint AS cause, 0 AS distance
        FROM log.events AS e WHERE e.notification_id = %(position)s
        UNION ALL
        SELECT e.notification_id, (e.meta ->> 'causation')::bigint, c.distance + 1
        FROM chain AS c JOIN log.events AS e ON e.notification_id = c.cause AND e.notification_id < c.position
        WHERE c.distance < %(most)s)
    SELECT h.position, h.stream, h.topic, h.business_id, h.recorded_at
    FROM chain AS c JOIN log.history AS h USING (position) WHERE c.distance > 0 ORDER BY c.distance"""
# Selects the events that were recorded because of one, looking a while ahead; of its business alone, if it has one.
SELECT_EFFECTS = """SELECT e.notification_id AS position, e.originator_id AS stream, e.topic, e.business_id,
        e.recorded_at
    FROM log.events AS e WHERE e.notification_id > %(position)s AND e.notification_id <= %(position)s + %(scanned)s
        AND (%(business)s::bigint IS NULL OR e.business_id = %(business)s)
        AND (e.meta ->> 'causation')::bigint = %(position)s
    ORDER BY e.notification_id LIMIT %(most)s"""
_MOST_LINKS = 100
_LINK = {
    "position": 12,
    "stream": "upload-7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
    "topic": "sales.UploadAccepted",
    "business_id": 7,
    "recorded_at": "2025-11-03T04:30:00Z",
}
_EVENT = {
    **_LINK,
    "position": 17,
    "version": 1,
    "meta": {"actor": "user-12", "request_id": "0b7d3c52-5f0c-4a0e-8f3b-1f1a7c1b9d01"},
    "data": {"file_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11", "file_name": "may.csv"},
}
_EXAMPLE = answers(EventPage, {"results": [_EVENT], "head": 1042, "next_after": 17, "next_before": None})
_ONE = answers(EventDetails, {**_EVENT, "hash": "9f86d081884c7d65…", "causes": [_LINK], "effects": []})


class EventsQuery(BaseModel):
    """Filters of the list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    business_id: QueryId | None = None
    topic: Annotated[str | None, Field(max_length=100, examples=["sales.UploadAccepted"])] = None
    stream: Annotated[str | None, Field(max_length=200, examples=["cash-7"])] = None
    actor: Annotated[str | None, Field(max_length=100, examples=["user-12"])] = None
    request_id: Annotated[str | None, Field(max_length=100)] = None
    since: Annotated[AwareDatetime | None, Field(description="Recorded at this time or later")] = None
    until: Annotated[AwareDatetime | None, Field(description="Recorded at this time or earlier")] = None
    after: Annotated[int, Field(ge=0, le=2**63 - 1, description="Only later positions")] = 0
    before: Annotated[int | None, Field(ge=1, le=2**63 - 1, description="Only earlier positions")] = None
    order: Annotated[Literal["asc", "desc"], Field(description="Oldest or newest first")] = "asc"
    limit: Limit = 50


@router.get("/events", responses=_EXAMPLE)
def list_events(deps: Deps, _: Staff, query: Annotated[EventsQuery, Query()]) -> Response:
    """Return events in the order of the log, or newest first.

    The next page has `after` = `next_after`, or newest first `before` = `next_before`; null on the last page. Without
    `business_id` and `stream` one request looks through at most 100,000 positions for the other filters, so a page may
    be short, and even empty, before the last one.
    """
    with deps.store.snapshot() as cursor:
        head = cursor.execute(SELECT_HEAD).fetchall()[0]["head"]
        if query.after > head:
            expected = f"0-{head}"
            raise InvalidQuery(
                details={"parameter": "after", "expected": expected, "head": head}, parameter="after", expected=expected
            )
        (period,) = cursor.execute(SELECT_PERIOD, {"since": query.since, "until": query.until}).fetchall()
        after, before = _bounds(query, head, period)
        low, high = _looked_through(query, after, before)
        wanted = {
            "after": low,
            "before": high,
            "business": query.business_id,
            "stream": query.stream,
            "topic": query.topic,
            "actor": query.actor,
            "request": query.request_id,
            "limit": query.limit + 1,
        }
        rows = cursor.execute(SELECT_EVENTS[query.order], wanted).fetchall()
    page = rows[: query.limit]
    last = page[-1]["position"] if len(rows) > query.limit else None
    if query.order == "asc":
        onward = high - 1 if high < before else None
        return ok({"results": page, "head": head, "next_after": last or onward, "next_before": None})
    onward = low + 1 if low > after else None
    return ok({"results": page, "head": head, "next_after": None, "next_before": last or onward})


def _bounds(query: EventsQuery, head: int, period: dict[str, Any]) -> tuple[int, int]:
    """Return the positions between which the wanted events are, both exclusive."""
    upto = head if period["upto"] is None else min(head, period["upto"])
    before = upto + 1 if query.before is None else min(query.before, upto + 1)
    return max(query.after, period["after"]), before


def _looked_through(query: EventsQuery, after: int, before: int) -> tuple[int, int]:
    """Return the bounds of this request: a part of them, unless an index finds the events."""
    filtered = query.topic or query.actor or query.request_id
    if query.business_id or query.stream or not filtered:
        return after, before
    if query.order == "asc":
        return after, min(before, after + _SCANNED + 1)
    return max(after, before - _SCANNED - 1), before


@router.get("/events/{position}", responses=_ONE, openapi_extra=refuses(EventNotFound))
def show_event(deps: Deps, _: Staff, position: PublicId) -> Response:
    """Return one event with its hash in the chain, the events that led to it and those that it led to.

    `causes` are in order, the direct one first; `effects` are the direct ones among the 100,000 positions after it, at
    most 100.
    """
    with deps.store.snapshot() as cursor:
        row = cursor.execute(SELECT_EVENT, (position,)).fetchone()
        if row is None:
            head = cursor.execute(SELECT_HEAD).fetchall()[0]["head"]
            raise EventNotFound(details={"position": position, "head": head}, head=head)
        wanted = {"position": position, "business": row["business_id"], "scanned": _SCANNED, "most": _MOST_LINKS}
        causes = cursor.execute(SELECT_CAUSES, wanted).fetchall()
        effects = cursor.execute(SELECT_EFFECTS, wanted).fetchall()
    return ok({**row, "causes": causes, "effects": effects})
