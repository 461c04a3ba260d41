"""Retry of failed jobs over HTTP, for staff."""

import uuid
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from shared.errors import JobNotFailed, JobNotFound
from shared.http.commands import Respond, StaffCommand
from shared.http.openapi import example, refuses
from shared.http.responses import ok
from write_side.admin import jobs_handlers

router = APIRouter(tags=["Admin"])
_RETRIED: dict[int | str, dict[str, Any]] = {
    202: example(
        {
            "message": "The job will be tried again.",
            "id": "5b0f5a3e-6f0e-5a53-9a53-0f1d6a0f2a11",
            "kind": "read_upload",
            "subject": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
            "state": "pending",
        },
        "Accepted; GET /api/admin/jobs?state=all shows its progress",
        pending=True,
    )
}


@router.post(
    "/admin/jobs/{job_id}/retry",
    status_code=202,
    responses=_RETRIED,
    openapi_extra=refuses(JobNotFound, JobNotFailed),
)
def retry_job(ctx: StaffCommand, respond: Respond, job_id: str) -> Response:
    """Retry a failed job, with as many attempts as a new one.

    The same Idempotency-Key again answers the same and starts nothing twice; without one, a job that is due again
    already is refused as not failed.
    """
    job = jobs_handlers.retry_job(ctx, _uuid(job_id)).data
    answer = {"message": respond.message("JOB_RETRYING"), "id": job.job_id, "kind": job.kind, "subject": job.subject}
    return ok({**answer, "state": "pending"}, status=202)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise JobNotFound(details={"id": text[:64]}) from None
