"""GET /admin/jobs: failed, waiting and running jobs, with the history of their attempts."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from read_side.admin.presenter import utc
from read_side.admin.schemas import JobList
from read_side.http.keyset_pagination import invalid_cursor, list_json
from shared.eventstore.store import EventStore
from shared.http.answers import answers
from shared.http.app import ListQuery, decode_cursor, encode_cursor, raw
from shared.http.dependencies import Deps, Staff
from shared.http.pagination import QueryId

router = APIRouter(tags=["Admin"])

# The last attempt of a failed job is recorded in the log only, not in jobs.attempts.
_FIELDS = """id, kind, subject, business_id, state, attempts + (state = 'failed')::integer AS attempts, error,
    position, created_at, CASE WHEN state = 'pending' AND run_after > now() THEN run_after END AS next_attempt_at"""
# Selects the jobs of a page and one more, newest first.
SELECT_JOBS = f"""SELECT {_FIELDS} FROM jobs.jobs
    WHERE (%(state)s::text IS NULL OR state = %(state)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
        AND (%(business)s::bigint IS NULL OR business_id = %(business)s)
        AND (%(before)s::bigint IS NULL OR (position, id) < (%(before)s, %(before_id)s::uuid))
    ORDER BY position DESC, id DESC OFFSET %(offset)s LIMIT %(rows)s"""  # noqa: S608 - constants
# Counts the jobs of the whole list.
COUNT_JOBS = """SELECT count(*) AS n FROM jobs.jobs
    WHERE (%(state)s::text IS NULL OR state = %(state)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
        AND (%(business)s::bigint IS NULL OR business_id = %(business)s)"""
# Selects the history of jobs in order: failed attempts, the final failure, and who retried them.
SELECT_HISTORY = """SELECT 'job-' || job_id AS stream, 'attempt_failed' AS event, at, worker AS actor, error
    FROM jobs.attempts WHERE job_id = ANY(%(ids)s)
    UNION ALL
    SELECT stream, CASE topic WHEN 'jobs.JobRetried' THEN 'retried' ELSE 'failed' END, recorded_at, meta ->> 'actor',
        data ->> 'error' FROM log.history WHERE stream = ANY(%(streams)s)
    ORDER BY at"""
_EXAMPLE = answers(
    JobList,
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
    },
)


class JobsQuery(ListQuery):
    """Filters of the list."""

    state: Literal["failed", "pending", "running", "done", "all"] = "failed"
    kind: str | None = Field(None, min_length=1, max_length=100, examples=["read_upload"])
    business_id: QueryId | None = None


@router.get("/admin/jobs", responses=_EXAMPLE)
def list_jobs(request: Request, deps: Deps, _: Staff, query: Annotated[JobsQuery, Query()]) -> Response:
    """Return jobs, newest first: the failed ones unless another `state` is given.

    `attempts` counts the failed attempts since the job was created or retried; `history` lists them (`attempt_failed`,
    kept for 90 days), the final failure (`failed`), and each retry by an operator (`retried`).
    """
    page = query.page()
    rows, count, history = _read(deps.store, query)
    shown, more = rows[: page.limit], len(rows) > page.limit
    cursor = encode_cursor((shown[-1]["position"], str(shown[-1]["id"]))) if more else None
    return raw(list_json(request, page, count, [_item(row, history) for row in shown], cursor))


def _read(store: EventStore, query: JobsQuery) -> tuple[list[dict[str, Any]], int, list[dict[str, Any]]]:
    """Return the jobs of the page and one more, the number of all jobs, and the history of these."""
    page = query.page()
    before, before_id = (None, None) if page.cursor is None else _key(page.cursor)
    parameters = {
        "state": None if query.state == "all" else query.state,
        "kind": query.kind,
        "business": query.business_id,
        "before": before,
        "before_id": before_id,
        "offset": page.offset,
        "rows": page.limit + 1,
    }
    with store.snapshot() as cursor:
        rows = cursor.execute(SELECT_JOBS, parameters).fetchall()
        count = cursor.execute(COUNT_JOBS, parameters).fetchall()[0]["n"]
        ids = [row["id"] for row in rows]
        history = cursor.execute(SELECT_HISTORY, {"ids": ids, "streams": [f"job-{job}" for job in ids]}).fetchall()
    return rows, count, history


def _key(cursor: str) -> tuple[int, UUID]:
    position, job = decode_cursor(cursor, int, str)
    try:
        return int(position), UUID(job)
    except ValueError:
        raise invalid_cursor() from None


def _item(row: dict[str, Any], history: list[dict[str, Any]]) -> dict[str, Any]:
    own = [
        {"event": each["event"], "timestamp": utc(each["at"]), "actor": each["actor"], "error": each["error"]}
        for each in history
        if each["stream"] == f"job-{row['id']}"
    ]
    times = {name: utc(row[name]) for name in ("created_at", "next_attempt_at")}
    return {name: value for name, value in row.items() if name != "position"} | times | {"history": own}
