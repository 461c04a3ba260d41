"""Answers about forecasts."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from shared.domain.presentation.schemas import BusinessDate, Quantity, Share
from shared.http.answers import ListOf, answers, listed

ForecastStatus = TypeAliasType("ForecastStatus", Literal["ready", "pending", "insufficient_data", "failed"])
StockoutReason = TypeAliasType(
    "StockoutReason", Literal["stock_unknown", "stale", "past", "pending", "insufficient_data", "failed"]
)
Percent = Annotated[float, Field(description="Percent")]


class ProductRef(BaseModel):
    """A product by id and name."""

    id: int
    name: str | None


class PredictedDay(BaseModel):
    """The predicted demand of a day; it lies between `lower` and `upper` in 95 of 100 cases."""

    date: BusinessDate
    quantity: Quantity
    lower: Quantity
    upper: Quantity
    confidence: Share


class ForecastSummary(BaseModel):
    """The demand over the whole horizon; null without a forecast."""

    total_demand: Quantity | None
    total_lower: Quantity | None
    total_upper: Quantity | None
    avg_daily: float | None
    peak_date: BusinessDate | None
    peak_qty: Quantity | None


class StockoutRisk(BaseModel):
    """The risk that the current stock runs out; `reason` says why `confidence` is null."""

    will_stockout: bool
    days_until_stockout: int | None
    confidence: Share | None
    recommendation: str | None
    reason: StockoutReason | None
    reorder_by: BusinessDate | None
    recommended_qty: Quantity | None
    current_stock: Annotated[float | None, Field(description="Units; null if the stock was never counted")]


class ForecastAccuracy(BaseModel):
    """The errors of the model on past weeks; null without a forecast."""

    mape: Percent | None
    mape_reason: Literal["no_window", "no_sales"] | None
    wape: Percent | None
    mase: float | None
    bias: Percent | None
    coverage: Share | None
    naive_wape: Percent | None
    windows: int | None
    data_points_used: int | None


class RivalModel(BaseModel):
    """Another model and its errors."""

    model: str
    wape: Percent | None
    bias: Percent | None


class Forecast(BaseModel):
    """The latest forecast of a product for a horizon."""

    id: int | None
    product: ProductRef
    forecast_date: BusinessDate | None
    forecast_days: int
    status: ForecastStatus
    have: Annotated[int | None, Field(description="Recorded sales")]
    need: Annotated[int | None, Field(description="Sales needed; null if `status` is ready")]
    predicted_demand: list[PredictedDay]
    summary: ForecastSummary
    stockout_risk: StockoutRisk
    accuracy: ForecastAccuracy
    model: str | None
    tier: Literal["fallback", "short", "full"] | None
    rivals: list[RivalModel]
    data_as_of: BusinessDate | None
    stale: bool
    failed_on: BusinessDate | None
    forecast_run_id: Annotated[UUID | None, Field(description="The run that is to forecast it, while it does")]


class ForecastRun(BaseModel):
    """A run of forecasts: how many products it has, and the results so far."""

    forecast_run_id: UUID
    state: Literal["pending", "completed", "failed"]
    by: Literal["owner", "import", "day"]
    forecast_days: int
    requested_on: BusinessDate
    products: int
    made: int
    failed: int
    insufficient_data: int
    progress: Share


class ForecastList(ListOf[Forecast]):
    """One page of forecasts, one per product and horizon."""


_DAYS = [
    {"date": "2025-11-04", "quantity": 3, "lower": 0, "upper": 7, "confidence": 0.95},
    {"date": "2025-11-05", "quantity": 4, "lower": 0, "upper": 9, "confidence": 0.93},
]
_RISK = {
    "will_stockout": True,
    "days_until_stockout": 2,
    "confidence": 0.88,
    "recommendation": "Reorder by 2025-11-05",
    "reason": None,
    "reorder_by": "2025-11-05",
    "recommended_qty": 25,
    "current_stock": 5,
}
_ACCURACY = {
    "mape": 12.5,
    "mape_reason": None,
    "wape": 18.2,
    "mase": 0.81,
    "bias": -1.9,
    "coverage": 0.95,
    "naive_wape": 24.6,
    "windows": 8,
    "data_points_used": 45,
}
_SHORT: dict[str, Any] = {
    "id": None,
    "product": {"id": 2, "name": "Saffron"},
    "forecast_date": "2025-11-03",
    "forecast_days": 7,
    "status": "insufficient_data",
    "have": 12,
    "need": 30,
    "predicted_demand": [],
    "summary": dict.fromkeys(("total_demand", "total_lower", "total_upper", "avg_daily", "peak_date", "peak_qty")),
    "stockout_risk": {
        "will_stockout": False,
        "days_until_stockout": None,
        "confidence": None,
        "recommendation": "A forecast takes 30 sales; 12 are recorded",
        "reason": "insufficient_data",
        "reorder_by": None,
        "recommended_qty": None,
        "current_stock": 2,
    },
    "accuracy": dict.fromkeys(_ACCURACY),
    "model": None,
    "tier": None,
    "rivals": [],
    "data_as_of": None,
    "stale": False,
    "failed_on": None,
    "forecast_run_id": None,
}
_RUN_ID = "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11"
FORECASTS = listed(
    ForecastList,
    {
        "count": 2,
        "next": None,
        "previous": None,
        "results": [
            {
                "id": 1,
                "product": {"id": 1, "name": "Basmati Rice"},
                "forecast_date": "2025-11-03",
                "forecast_days": 7,
                "status": "ready",
                "have": 156,
                "need": None,
                "predicted_demand": _DAYS,
                "summary": {
                    "total_demand": 28,
                    "total_lower": 17.5,
                    "total_upper": 41,
                    "avg_daily": 4.0,
                    "peak_date": "2025-11-07",
                    "peak_qty": 6,
                },
                "stockout_risk": _RISK,
                "accuracy": _ACCURACY,
                "model": "ensemble",
                "tier": "full",
                "rivals": [{"model": "prophet", "wape": 19.6, "bias": 3.1}],
                "data_as_of": "2025-11-03",
                "stale": False,
                "failed_on": None,
                "forecast_run_id": _RUN_ID,
            },
            _SHORT,
        ],
        "next_cursor": None,
    },
    "One page, one item per product and horizon. `status` is ready, pending (the first forecast is on its way),"
    " insufficient_data (`have` sales of `need`) or failed; `forecast_run_id` is the run that is to"
    " forecast it next; `failed_on` is the date of a later attempt that failed",
)
RUN = answers(
    ForecastRun,
    {
        "forecast_run_id": _RUN_ID,
        "state": "pending",
        "by": "owner",
        "forecast_days": 7,
        "requested_on": "2025-11-03",
        "products": 12,
        "made": 5,
        "failed": 0,
        "insufficient_data": 1,
        "progress": 0.5,
    },
)
