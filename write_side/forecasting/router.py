"""Requests for forecasts over HTTP."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from shared.domain.readmodels.demand import SELECT_TRANSACTIONS
from shared.domain.refusals.forecasting import InsufficientData, TooManyForecasts
from shared.domain.refusals.inventory import ProductNotFound
from shared.http.commands import OwnerCommand, Respond
from shared.http.dependencies import Deps
from shared.http.openapi import refuses
from shared.postgres.database import await_position, reading
from write_side.forecasting import handlers
from write_side.forecasting.schemas import ACCEPTED, ForecastRequest

router = APIRouter(tags=["Forecasts"])


@router.post(
    "/forecasts/request",
    status_code=202,
    responses=ACCEPTED,
    openapi_extra=refuses(InsufficientData, ProductNotFound, TooManyForecasts),
)
async def request_forecasts(ctx: OwnerCommand, respond: Respond, deps: Deps, form: ForecastRequest) -> Response:
    """Request forecasts of products, of all unless named; a shop may request ten times a day.

    Products forecast today from the same sales with the same horizon are reused unless `force_regenerate`. Products
    with fewer than 30 sales are skipped. GET /forecasts shows each forecast as soon as it is made.
    """
    business_id = ctx.business_id or 0
    version = await run_in_threadpool(handlers.current_data_version, ctx)
    await await_position(deps.reader, business_id, ("sales",), version)
    async with reading(deps.reader, business_id) as conn:
        rows = await (await conn.execute(SELECT_TRANSACTIONS, {"business": business_id})).fetchall()
    limited = deps.settings.rate_limits
    result = await run_in_threadpool(handlers.request_forecasts, ctx, form.command(), dict(rows), limited=limited)
    message = respond.message("FORECASTS_PENDING")
    return respond(result.map(lambda answer: {"message": message, **answer}), status=202)
