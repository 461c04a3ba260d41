"""Retry of parked businesses over HTTP, for staff."""

from fastapi import APIRouter
from starlette.responses import Response

from shared.domain.refusals.admin import NotParked
from shared.http.commands import Respond, StaffCommand
from shared.http.openapi import refuses
from shared.http.pagination import PublicId
from shared.http.responses import ok
from write_side.admin.parked_handlers import retry_parked
from write_side.admin.schemas import PARKED_ACCEPTED

router = APIRouter(tags=["Admin"])


@router.post(
    "/admin/parked/{business_id}/retry",
    status_code=202,
    responses=PARKED_ACCEPTED,
    openapi_extra=refuses(NotParked),
)
def retry_parked_business(ctx: StaffCommand, respond: Respond, business_id: PublicId) -> Response:
    """Apply what waits for a parked business again, in every projection that has it parked.

    A retry applies its events in order and stops at the first one that fails again; GET /admin/parked shows what came
    of it.
    """
    result = retry_parked(ctx, business_id)
    answer = {"message": respond.message("PARKED_RETRYING"), "business_id": business_id, "projections": result.data}
    return ok(answer, status=202)
