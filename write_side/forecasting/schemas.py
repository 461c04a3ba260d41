"""What owners may ask of the models; keys that are not named here are ignored."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from write_side.forecasting.aggregate import Asked

MOST_PRODUCTS = 10_000
ProductId = Annotated[int, Field(ge=1, le=2**63 - 1, strict=True, examples=[1])]


class ForecastRequest(BaseModel):
    """Which products, how far ahead."""

    model_config = ConfigDict(frozen=True)

    product_ids: Annotated[
        list[ProductId] | None,
        Field(min_length=1, max_length=MOST_PRODUCTS, description="All products if left out"),
    ] = None
    forecast_days: Annotated[Literal[7, 14, 30], Field(description="Days ahead")] = 7
    force_regenerate: Annotated[
        bool, Field(strict=True, description="Forecast again what was forecast today from the same sales")
    ] = False

    def asked(self) -> Asked:
        """Return the command."""
        return Asked(self.product_ids, self.forecast_days, self.force_regenerate)
