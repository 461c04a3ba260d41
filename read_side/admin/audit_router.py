"""GET /admin/audit: who did what, when, to what and from where, selected from the event log."""

import datetime as dt
import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from read_side.admin.audit_presenter import ACTIONS, NAMES, SYSTEM_TOPICS, details, topics_of
from read_side.admin.presenter import utc
from read_side.admin.schemas import AuditList
from read_side.http.keyset_pagination import list_json
from shared.eventstore.store import EventStore
from shared.http.answers import answers
from shared.http.app import Limit, Page, decode_cursor, encode_cursor, raw
from shared.http.dependencies import Deps, Staff
from shared.http.fields import PlainDate
from shared.http.pagination import QueryId, invalid
from shared.runtime.business_day import start_of

router = APIRouter(tags=["Admin"])
_DAY = dt.timedelta(1)
_USER = re.compile(r"user-(\d+)")
_NEWEST = 2**62
_EARLIEST, _LATEST = dt.date(2000, 1, 1), dt.date(2999, 1, 1)

# Workers append nearly all events; a partial index covers the rest.
_WHERE = """(e.meta ->> 'actor') IS DISTINCT FROM 'worker' AND e.topic = ANY(%(topics)s)
    AND (e.topic = ANY(%(system_topics)s) OR e.meta ->> 'actor' LIKE 'user-%%'
        OR coalesce(e.meta ->> 'actor', 'operator') = 'operator')
    AND (%(business)s::bigint IS NULL OR e.business_id = %(business)s)
    AND (%(actor)s::text IS NULL OR e.meta ->> 'actor' = %(actor)s)
    AND e.notification_id > log.position_at(%(since)s) AND e.notification_id <= log.position_at(%(until)s)"""
# Selects the entries of a page and one more, newest first, with the address and user agent of each request.
SELECT_ENTRIES = f"""SELECT e.notification_id AS position, e.originator_id AS stream, e.topic, e.business_id,
        e.recorded_at, e.meta ->> 'actor' AS actor, convert_from(e.state, 'UTF8')::jsonb AS data, r.user_agent,
        CASE WHEN r.ip::text LIKE '%%/32' OR r.ip::text LIKE '%%/128' THEN host(r.ip) ELSE abbrev(r.ip) END AS ip
    FROM log.events AS e LEFT JOIN credentials.requests AS r ON r.position = e.notification_id
    WHERE {_WHERE} AND e.notification_id < %(before)s
    ORDER BY e.notification_id DESC LIMIT %(rows)s"""  # noqa: S608 - constants
# Counts the entries of the whole list.
COUNT_ENTRIES = f"SELECT count(*) AS n FROM log.events AS e WHERE {_WHERE}"  # noqa: S608 - constants
# Selects how uploads ended.
SELECT_ENDS = """SELECT originator_id AS stream, topic FROM log.events
    WHERE originator_id = ANY(%s) AND topic IN ('sales.UploadCompleted', 'sales.UploadFailed')"""
_ENDS = {"sales.UploadCompleted": "success", "sales.UploadFailed": "failed"}
_EXAMPLE = answers(
    AuditList,
    {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [
            {
                "position": 4711,
                "user_id": 12,
                "actor": "user-12",
                "business_id": 7,
                "action": "csv_upload",
                "resource_type": "upload",
                "resource_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
                "details": {"file_name": "sales_may_2025.csv", "size": 12034, "rows_detected": 156},
                "ip_address": "203.0.113.9",
                "user_agent": "Mozilla/5.0",
                "status": "success",
                "timestamp": "2025-11-03T10:30:00Z",
            }
        ],
        "next_cursor": None,
    },
)


class AuditQuery(BaseModel):
    """Filters of the list; both dates are business days in Dhaka, inclusive."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Limit = 50
    cursor: str | None = Field(None, min_length=1, max_length=512, description="Opaque; from `next`")
    user_id: QueryId | None = None
    business_id: QueryId | None = None
    action: str | None = Field(None, max_length=100, examples=["login"])
    date_from: PlainDate | None = None
    date_to: PlainDate | None = None


@router.get("/admin/audit", responses=_EXAMPLE)
def list_audit(request: Request, deps: Deps, _: Staff, query: Annotated[AuditQuery, Query()]) -> Response:
    """Return the actions of users and operators and the refused logins, newest first.

    `user_id` is null for an operator at the command line and for the system; `status` is `success`, `failed`,
    `refused`, or `pending` for an upload in progress. `details` are the recorded fields: money in paisa, quantities in
    thousandths. Full IP addresses are kept for 90 days.
    """
    before = _NEWEST if query.cursor is None else int(decode_cursor(query.cursor, int)[0])
    if query.action is not None and query.action not in NAMES:
        raise invalid(parameter="action", expected=" | ".join(NAMES))
    if query.date_from and query.date_to and query.date_from > query.date_to:
        raise invalid(parameter="date_from", expected="YYYY-MM-DD, date_from ≤ date_to")
    rows, count = _read(deps.store, query, before)
    shown = rows[: query.limit]
    cursor = encode_cursor((shown[-1]["position"],)) if len(rows) > query.limit else None
    # The first page is linked by cursor too: this list has no offsets.
    page = Page(query.limit, cursor=query.cursor or "-", default_limit=50)
    return raw(list_json(request, page, count, [_item(row) for row in shown], cursor))


def _read(store: EventStore, query: AuditQuery, before: int) -> tuple[list[dict[str, Any]], int]:
    wanted = {
        "topics": topics_of(query.action),
        "system_topics": list(SYSTEM_TOPICS),
        "business": query.business_id,
        "actor": query.user_id and f"user-{query.user_id}",
        "before": before,
        "rows": query.limit + 1,
        "since": _before(max(query.date_from or _EARLIEST, _EARLIEST)),
        "until": _before(min(query.date_to or _LATEST, _LATEST) + _DAY),
    }
    with store.snapshot() as cursor:
        rows = cursor.execute(SELECT_ENTRIES, wanted).fetchall()
        count = cursor.execute(COUNT_ENTRIES, wanted).fetchall()[0]["n"]
        uploads = [row["stream"] for row in rows if row["topic"] == "sales.UploadAccepted"]
        ends = {row["stream"]: row["topic"] for row in cursor.execute(SELECT_ENDS, (uploads,)).fetchall()}
    for row in rows:
        if row["topic"] == "sales.UploadAccepted":
            row["status"] = _ENDS.get(ends.get(row["stream"], ""), "pending")
    return rows, count


def _item(row: dict[str, Any]) -> dict[str, Any]:
    action, data = ACTIONS[row["topic"]], row["data"]
    who = _USER.fullmatch(row["actor"] or "")
    return {
        "position": row["position"],
        "user_id": int(who[1]) if who else None,
        "actor": row["actor"],
        "business_id": row["business_id"],
        "action": action.name,
        "resource_type": action.resource,
        "resource_id": data.get(action.id_field, row["business_id"]),
        "details": details(action, data),
        "ip_address": row["ip"],
        "user_agent": row["user_agent"],
        "status": row.get("status", action.status),
        "timestamp": utc(row["recorded_at"]),
    }


def _before(day: dt.date) -> dt.datetime:
    """Return the last microsecond before a day begins in Dhaka."""
    return start_of(day) - dt.timedelta(microseconds=1)
