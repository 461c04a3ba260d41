"""Request bodies about forecasts; unknown keys are ignored."""

import uuid
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.http.answers import answers
from shared.http.fields import Body
from write_side.forecasting.aggregate import RequestForecasts

MOST_PRODUCTS = 10_000
ProductId = Annotated[int, Field(ge=1, le=2**63 - 1, strict=True, examples=[1])]


class ForecastRequest(Body):
    """The products and the horizon."""

    model_config = ConfigDict(frozen=True)

    product_ids: Annotated[
        list[ProductId] | None,
        Field(min_length=1, max_length=MOST_PRODUCTS, description="All products if omitted"),
    ] = None
    forecast_days: Annotated[Literal[7, 14, 30], Field(description="Days ahead")] = 7
    force_regenerate: Annotated[
        bool, Field(strict=True, description="Forecast again products already forecast today from the same sales")
    ] = False

    def command(self) -> RequestForecasts:
        """Return the command, for a new run."""
        return RequestForecasts(str(uuid.uuid4()), self.product_ids, self.forecast_days, self.force_regenerate)


class SkippedProduct(BaseModel):
    """A product without enough sales for a forecast."""

    product_id: int
    reason: Literal["insufficient_data"]
    have: int
    need: int


class ForecastsAccepted(BaseModel):
    """The products being forecast, including the `reused` ones, and the skipped ones."""

    message: str
    forecast_run_id: uuid.UUID
    product_count: int
    forecast_days: int
    estimated_processing_time: Annotated[int, Field(description="Seconds")]
    reused: int
    skipped: list[SkippedProduct]


ACCEPTED = answers(
    ForecastsAccepted,
    {
        "message": "Generating forecasts...",
        "forecast_run_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
        "product_count": 3,
        "forecast_days": 7,
        "estimated_processing_time": 5,
        "reused": 0,
        "skipped": [{"product_id": 4, "reason": "insufficient_data", "have": 12, "need": 30}],
    },
    "Accepted; `product_count` includes the `reused` products, already forecast today from the same sales."
    " X-Event-Position is the position from which GET /forecasts includes the request",
    status=202,
)
