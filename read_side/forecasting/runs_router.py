"""GET /forecasts/runs/{forecast_run_id}: how far a run of forecasts is."""

import uuid

from fastapi import APIRouter, Request
from psycopg.rows import TupleRow
from starlette.responses import Response

from read_side.forecasting import presenter
from read_side.forecasting.queries import SELECT_RUN
from read_side.forecasting.schemas import RUN
from read_side.http.consistency import await_consistency, retry_until_found
from read_side.http.rows import first_row
from shared.domain.refusals.forecasting import ForecastRunNotFound
from shared.http.app import ok, refuses
from shared.http.dependencies import Deps, Owner
from shared.postgres.database import reading

router = APIRouter(tags=["Forecasts"])


@router.get("/forecasts/runs/{forecast_run_id}", responses=RUN, openapi_extra=refuses(ForecastRunNotFound))
async def show_forecast_run(request: Request, deps: Deps, who: Owner, forecast_run_id: str) -> Response:
    """Return how far a run of forecasts is; its forecasts are in GET /forecasts as soon as each is made."""
    business_id = await await_consistency(request, deps, who, "forecasting")
    run_id = _run_id(forecast_run_id)
    known = {"business": business_id, "run": run_id}

    async def read() -> TupleRow | None:
        async with reading(deps.reader, business_id) as conn:
            return await first_row(conn, SELECT_RUN, known)

    row = await retry_until_found(read)
    if row is None:
        raise ForecastRunNotFound
    return ok(presenter.run(run_id, row))


def _run_id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise ForecastRunNotFound from None
