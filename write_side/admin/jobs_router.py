"""Retrying jobs over HTTP, for staff."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from shared.errors import JobNotFailed, JobNotFound
from shared.http.auth import command_context, language, staff
from shared.http.openapi import example, refuses
from shared.http.responses import ok
from shared.http.tokens import Principal
from shared.texts import catalogue
from write_side.admin.jobs_handlers import retry

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
        "Accepted; GET /api/admin/jobs?state=all shows what becomes of it",
        pending=True,
    )
}


@router.post(
    "/admin/jobs/{job_id}/retry",
    status_code=202,
    responses=_RETRIED,
    openapi_extra=refuses(JobNotFound, JobNotFailed),
)
def retry_job(request: Request, who: Annotated[Principal, Depends(staff)], job_id: str) -> Response:
    """Have a job that was given up tried again, with as many attempts as a new one.

    The same Idempotency-Key again answers the same and starts nothing twice; without one, a job that is being tried
    again already is refused as not failed.
    """
    done = retry(request.app.state.store, _uuid(job_id), command_context(request, who))
    text = catalogue()["JOB_RETRYING"][language(request, who)]
    answer = {"message": text.message, "id": done.job_id, "kind": done.kind, "subject": done.subject}
    return ok({**answer, "state": "pending"}, status=202)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise JobNotFound(details={"id": text[:64]}) from None
