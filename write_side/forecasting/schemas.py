"""Request bodies about forecasts; unknown keys are ignored."""

import uuid
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from write_side.forecasting.aggregate import RequestForecasts

MOST_PRODUCTS = 10_000
ProductId = Annotated[int, Field(ge=1, le=2**63 - 1, strict=True, examples=[1])]


class ForecastRequest(BaseModel):
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
