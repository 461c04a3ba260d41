"""Forecasts asked for over HTTP."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from shared.domain.readmodels.demand import SELECT_TRANSACTIONS
from shared.domain.refusals.forecasting import InsufficientData, TooManyForecasts
from shared.domain.refusals.inventory import ProductNotFound
from shared.http.auth import command_context, language, owner, request_hash
from shared.http.openapi import example, refuses
from shared.http.responses import ok
from shared.http.tokens import Principal
from shared.postgres.database import await_position, reading
from shared.texts import text
from write_side.forecasting.handlers import Almanac
from write_side.forecasting.schemas import ForecastRequest

router = APIRouter(tags=["Forecasts"])
_GRANTED: dict[int | str, dict[str, Any]] = {
    202: example(
        {
            "message": "Generating forecasts...",
            "product_count": 3,
            "forecast_days": 7,
            "estimated_processing_time": 5,
            "reused": 0,
            "skipped": [{"product_id": 4, "reason": "insufficient_data", "have": 12, "need": 30}],
        },
        "Accepted; `product_count` counts products that are forecast or, of them `reused`, were today from the same"
        " sales. X-Event-Position says from where GET /forecasts knows of the request",
        pending=True,
    )
}


@router.post(
    "/forecasts/request",
    status_code=202,
    responses=_GRANTED,
    openapi_extra=refuses(InsufficientData, ProductNotFound, TooManyForecasts),
)
async def request_forecasts(
    request: Request, who: Annotated[Principal, Depends(owner)], form: ForecastRequest
) -> Response:
    """Have products forecast, all of them unless named; a shop may ask ten times a day.

    What was forecast today from the same sales, as far ahead, is not made again unless `force_regenerate`. Products
    with fewer than 30 sales are skipped. GET /forecasts shows each forecast as soon as it is made.
    """
    state, business_id = request.app.state, who.business_id or 0
    almanac = Almanac(state.store, business_id, command_context(request, who), request_hash(request))
    version = await to_thread.run_sync(almanac.data_version)
    await await_position(state.reader, business_id, ("sales",), version)
    async with reading(state.reader, business_id) as conn:
        rows = await (await conn.execute(SELECT_TRANSACTIONS, {"business": business_id})).fetchall()
    limited = state.settings.rate_limits
    granted = await to_thread.run_sync(lambda: almanac.request(form.asked(), dict(rows), limited=limited))
    said = text("FORECASTS_PENDING", language(request, who)).message
    token = state.positions.seal(business_id, granted.position) if granted.position else None
    return ok({"message": said, **granted.data}, status=202, position=token)
