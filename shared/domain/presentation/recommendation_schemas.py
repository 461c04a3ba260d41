"""Models of recommendations, in the answers of queries and commands."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from shared.domain.presentation.schemas import BusinessDate, Currency, Quantity, RiskLevel, Share, Taka, UtcTime

RecommendationStatus = TypeAliasType("RecommendationStatus", Literal["pending", "viewed", "executed", "dismissed"])
RecommendationType = TypeAliasType(
    "RecommendationType", Literal["reorder", "cash_warning", "retention", "price_optimization"]
)
OutcomeCode = TypeAliasType(
    "OutcomeCode",
    Literal[
        "stock_arrived",
        "no_delivery",
        "customers_returned",
        "nobody_returned",
        "cash_stayed_above",
        "cash_fell_below",
        "price_changed",
        "price_kept",
    ],
)


class Engagement(BaseModel):
    """What the owner has done with a recommendation."""

    is_viewed: bool
    viewed_at: UtcTime | None
    is_executed: bool
    executed_at: UtcTime | None
    view_duration_seconds: int


class Stake(BaseModel):
    """The amount at stake, and how it was calculated."""

    amount: Taka
    currency: Currency
    how: str


class CustomerRef(BaseModel):
    """A customer by id and name."""

    customer_id: int
    name: str | None


class Outcome(BaseModel):
    """The recorded outcome of an executed recommendation; `customers` are those who came back."""

    outcome: OutcomeCode
    description: str
    customers: list[CustomerRef] = []


class ReorderAction(BaseModel):
    """A product to order; the demand is that of the next `demand_days` days."""

    product_id: int
    product_name: str | None
    current_stock: Quantity
    recommended_qty: Quantity
    reorder_by_date: BusinessDate
    predicted_demand: Quantity
    demand_days: int
    basis: Literal["forecast", "average"]
    days_until_stockout: int | None
    stockout_date: BusinessDate | None


class CashWarningAction(BaseModel):
    """The day on which the balance falls below the threshold, and the largest shortfall within 30 days."""

    critical_date: BusinessDate
    projected_balance: Taka
    threshold: Taka
    shortfall: Taka


class CustomerAtRisk(BaseModel):
    """A customer to contact."""

    customer_id: int
    name: str | None
    phone: str | None
    days_since: int | None
    total_spent: Taka


class RetentionAction(BaseModel):
    """The customers at risk: their number, and those to contact first."""

    customer_count: int
    customers: list[CustomerAtRisk]


class PriceAction(BaseModel):
    """A product whose price may be raised."""

    product_id: int
    product_name: str | None
    current_stock: Quantity
    sales_7d: Quantity
    usual_7d: Quantity
    unit_price: Taka
    suggested_price: Taka


class _Recommendation(BaseModel):
    id: int
    title: str
    description: str
    urgency: RiskLevel
    priority_score: float
    status: RecommendationStatus
    engagement: Engagement
    created_at: UtcTime
    expires_on: BusinessDate
    impact: Share
    stake: Stake
    modified: Annotated[list[str], Field(description="Fields of the action that the owner has changed")]
    reason: Annotated[str | None, Field(description="Why it was dismissed")]
    rule: str
    outcome: Outcome | None


class ReorderRecommendation(_Recommendation):
    """Order a product."""

    type: Literal["reorder"]
    action_data: ReorderAction


class CashWarningRecommendation(_Recommendation):
    """Prevent a shortage of cash."""

    type: Literal["cash_warning"]
    action_data: CashWarningAction


class RetentionRecommendation(_Recommendation):
    """Contact customers at risk."""

    type: Literal["retention"]
    action_data: RetentionAction


class PriceRecommendation(_Recommendation):
    """Consider a higher price."""

    type: Literal["price_optimization"]
    action_data: PriceAction


Recommendation = TypeAliasType(
    "Recommendation",
    Annotated[
        ReorderRecommendation | CashWarningRecommendation | RetentionRecommendation | PriceRecommendation,
        Field(discriminator="type"),
    ],
)

EXAMPLE: dict[str, Any] = {
    "id": 1,
    "title": "Reorder Basmati Rice",
    "description": "Stock ending in 2 days. Current: 5 units. Predicted demand: 28 units in 7 days. Order 25 by Nov 5.",
    "type": "reorder",
    "urgency": "high",
    "priority_score": 0.88,
    "status": "viewed",
    "action_data": {
        "product_id": 1,
        "product_name": "Basmati Rice",
        "current_stock": 5,
        "recommended_qty": 25,
        "reorder_by_date": "2025-11-05",
        "predicted_demand": 28,
        "demand_days": 7,
        "basis": "forecast",
        "days_until_stockout": 2,
        "stockout_date": "2025-11-05",
    },
    "engagement": {
        "is_viewed": True,
        "viewed_at": "2025-11-03T14:00:00Z",
        "is_executed": False,
        "executed_at": None,
        "view_duration_seconds": 45,
    },
    "created_at": "2025-11-03T10:30:00Z",
    "expires_on": "2025-11-19",
    "impact": 0.8,
    "stake": {
        "amount": 2760,
        "currency": "BDT",
        "how": "Demand of the next 7 days that the stock does not cover, at the unit price",
    },
    "modified": [],
    "reason": None,
    "rule": "recommend.v1 stock.v1",
    "outcome": None,
}
