"""GET /admin/jobs: work that was given up, and work that is going on, with what became of each attempt."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from read_side.admin.presenter import listed
from read_side.admin.times_presenter import utc
from read_side.http.keyset_pagination import not_a_cursor
from shared.eventstore.store import EventStore
from shared.http.app import ListQuery, Principal, decode_cursor, example, ok, staff

router = APIRouter(tags=["Admin"])

# The attempt after which a job is given up is told by the log alone.
_FIELDS = """id, kind, subject, business_id, state, attempts + (state = 'failed')::integer AS attempts, error,
    position, created_at, CASE WHEN state = 'pending' AND run_after > now() THEN run_after END AS next_attempt_at"""
# Returns the jobs of a page, newest first, one more than asked for.
SELECT_JOBS = f"""SELECT {_FIELDS} FROM jobs.jobs
    WHERE (%(state)s::text IS NULL OR state = %(state)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
        AND (%(business)s::bigint IS NULL OR business_id = %(business)s)
        AND (%(before)s::bigint IS NULL OR (position, id) < (%(before)s, %(before_id)s::uuid))
    ORDER BY position DESC, id DESC OFFSET %(offset)s LIMIT %(rows)s"""  # noqa: S608  (constants)
# Returns how many jobs the whole list has.
COUNT_JOBS = """SELECT count(*) AS n FROM jobs.jobs
    WHERE (%(state)s::text IS NULL OR state = %(state)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
        AND (%(business)s::bigint IS NULL OR business_id = %(business)s)"""
# Returns what became of jobs, in order: which attempts failed, when each was given up or retried, and by whom.
SELECT_HISTORY = """SELECT 'job-' || job_id AS stream, 'attempt_failed' AS event, at, worker AS actor, error
    FROM jobs.attempts WHERE job_id = ANY(%(ids)s)
    UNION ALL
    SELECT stream, CASE topic WHEN 'jobs.JobRetried' THEN 'retried' ELSE 'failed' END, recorded_at, meta ->> 'actor',
        data ->> 'error' FROM log.history WHERE stream = ANY(%(streams)s)
    ORDER BY at"""
_EXAMPLE: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "count": 1,
            "next": None,
            "previous": None,
            "results": [
                {
                    "id": "5b0f5a3e-6f0e-5a53-9a53-0f1d6a0f2a11",
                    "kind": "read_upload",
                    "subject": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
                    "business_id": 7,
                    "state": "failed",
                    "attempts": 4,
                    "error": "FileIncomplete: 7f6f3c0e-… has 0 of 12034 bytes",
                    "created_at": "2025-11-03T10:30:00Z",
                    "next_attempt_at": None,
                    "history": [
                        {
                            "event": "attempt_failed",
                            "timestamp": "2025-11-03T10:30:01Z",
                            "actor": "worker@shop-1:311",
                            "error": "FileIncomplete: 7f6f3c0e-… has 0 of 12034 bytes",
                        },
                        {
                            "event": "failed",
                            "timestamp": "2025-11-03T11:05:00Z",
                            "actor": "worker",
                            "error": "FileIncomplete: 7f6f3c0e-… has 0 of 12034 bytes",
                        },
                    ],
                }
            ],
            "next_cursor": None,
        }
    )
}


class JobsQuery(ListQuery):
    """Which jobs."""

    state: Literal["failed", "pending", "running", "done", "all"] = "failed"
    kind: str | None = Field(None, min_length=1, max_length=100, examples=["read_upload"])
    business_id: int | None = Field(None, ge=1, le=2**63 - 1)


@router.get("/admin/jobs", responses=_EXAMPLE)
def list_jobs(
    request: Request, _: Annotated[Principal, Depends(staff)], query: Annotated[JobsQuery, Query()]
) -> Response:
    """Return jobs, newest first: those that were given up, unless another `state` is asked for.

    `attempts` counts those that failed by their own fault since the job was new or was retried; `history` tells of each
    (`attempt_failed`, for 90 days), of the last one after which the job was given up (`failed`), and who had it
    `retried`.
    """
    return ok(jobs(request.app.state.store, request, query))


def jobs(store: EventStore, request: Request, query: JobsQuery) -> dict[str, Any]:
    """Return the page that is asked for."""
    page = query.page()
    before, before_id = (None, None) if page.cursor is None else _place(page.cursor)
    wanted = {
        "state": None if query.state == "all" else query.state,
        "kind": query.kind,
        "business": query.business_id,
        "before": before,
        "before_id": before_id,
        "offset": page.offset,
        "rows": page.limit + 1,
    }
    with store.cursor() as cursor:
        rows = cursor.execute(SELECT_JOBS, wanted).fetchall()
        count = cursor.execute(COUNT_JOBS, wanted).fetchall()[0]["n"]
        ids = [row["id"] for row in rows]
        told = cursor.execute(SELECT_HISTORY, {"ids": ids, "streams": [f"job-{job}" for job in ids]}).fetchall()
    shown, more = rows[: page.limit], len(rows) > page.limit
    key = (shown[-1]["position"], str(shown[-1]["id"])) if more else None
    return listed(request, page, count, [_item(row, told) for row in shown], key)


def _place(cursor: str) -> tuple[int, UUID]:
    position, job = decode_cursor(cursor, int, str)
    try:
        return int(position), UUID(job)
    except ValueError:
        raise not_a_cursor() from None


def _item(row: dict[str, Any], told: list[dict[str, Any]]) -> dict[str, Any]:
    history = [
        {"event": each["event"], "timestamp": utc(each["at"]), "actor": each["actor"], "error": each["error"]}
        for each in told
        if each["stream"] == f"job-{row['id']}"
    ]
    times = {name: utc(row[name]) for name in ("created_at", "next_attempt_at")}
    return {name: value for name, value in row.items() if name != "position"} | times | {"history": history}
