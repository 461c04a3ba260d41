"""Requests for forecasts over HTTP."""

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from shared.domain.readmodels.demand import SELECT_TRANSACTIONS
from shared.domain.refusals.forecasting import InsufficientData, TooManyForecasts
from shared.domain.refusals.inventory import ProductNotFound
from shared.http.commands import OwnerCommand, Respond
from shared.http.dependencies import Deps
from shared.http.openapi import example, refuses
from shared.postgres.database import await_position, reading
from write_side.forecasting import handlers
from write_side.forecasting.schemas import ForecastRequest

router = APIRouter(tags=["Forecasts"])
_ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: example(
        {
            "message": "Generating forecasts...",
            "product_count": 3,
            "forecast_days": 7,
            "estimated_processing_time": 5,
            "reused": 0,
            "skipped": [{"product_id": 4, "reason": "insufficient_data", "have": 12, "need": 30}],
        },
        "Accepted; `product_count` includes the `reused` products, already forecast today from the same sales."
        " X-Event-Position is the position from which GET /forecasts includes the request",
        pending=True,
    )
}


@router.post(
    "/forecasts/request",
    status_code=202,
    responses=_ACCEPTED,
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
