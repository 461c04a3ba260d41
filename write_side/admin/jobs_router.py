"""Retry of failed jobs over HTTP, for staff."""

import uuid

from fastapi import APIRouter
from starlette.responses import Response

from shared.http.commands import Respond, StaffCommand
from shared.http.openapi import refuses
from shared.http.responses import ok
from shared.operator_errors import JobNotFailed, JobNotFound
from write_side.admin import jobs_handlers
from write_side.admin.schemas import JOB_ACCEPTED

router = APIRouter(tags=["Admin"])


@router.post(
    "/admin/jobs/{job_id}/retry",
    status_code=202,
    responses=JOB_ACCEPTED,
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
