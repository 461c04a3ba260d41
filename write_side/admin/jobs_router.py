"""Retry of failed jobs over HTTP, for staff."""

import uuid

from fastapi import APIRouter
from starlette.responses import Response

from shared.http.commands import Respond, StaffCommand
from shared.http.openapi import refuses
from shared.http.responses import ok
from shared.operator_errors import JobNotFailed, JobNotFound
from write_side.admin import jobs_handlers
from write_side.admin.jobs_handlers import JobFilter
from write_side.admin.schemas import JOB_ACCEPTED, JOBS_ACCEPTED, JobsRequest

router = APIRouter(tags=["Admin"])


@router.post("/admin/jobs/retry", status_code=202, responses=JOBS_ACCEPTED)
def retry_failed_jobs(ctx: StaffCommand, form: JobsRequest) -> Response:
    """Retry all failed jobs that match, the oldest 500 at most; with `dry_run` only count them."""
    wanted = JobFilter(form.kind, form.business_id, form.error)
    found = jobs_handlers.retry_jobs(ctx, wanted, dry_run=form.dry_run)
    answer = {"matching": sum(found.kinds.values()), **found._asdict()}
    return ok(answer, status=200 if form.dry_run else 202)


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
