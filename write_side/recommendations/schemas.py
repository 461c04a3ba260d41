"""Request bodies about recommendations; unknown keys of `modified_action` are refused."""

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.domain.events.recommendations import Fact
from shared.domain.presentation.recommendation_schemas import EXAMPLE, Recommendation
from shared.domain.presentation.schemas import Quantity, Taka
from shared.domain.presentation.units import PAISA, THOUSANDTHS
from shared.http.answers import answers
from shared.http.fields import Body, PlainDate, PlainNumber

_Seconds = Annotated[int, Field(ge=0, le=86_400, strict=True, examples=[45])]
_Ids = Annotated[list[Annotated[int, Field(ge=1, le=2**63 - 1, strict=True)]], Field(min_length=1, max_length=20)]


class View(Body):
    """How long the owner looked at a recommendation."""

    view_duration_seconds: _Seconds | None = None


class ModifiedAction(BaseModel):
    """What the owner does differently; each key belongs to one type of recommendation."""

    model_config = ConfigDict(hide_input_in_errors=True, extra="forbid")

    recommended_qty: Annotated[PlainNumber, Field(ge=1, le=100_000, decimal_places=3)] | None = Field(
        None, description="reorder: the quantity to order", examples=[20]
    )
    reorder_by_date: PlainDate | None = Field(None, description="reorder: the day to order by", examples=["2025-11-05"])
    customer_ids: _Ids | None = Field(None, description="retention: the customers to contact, of those recommended")
    suggested_price: Annotated[PlainNumber, Field(ge=1, le=10_000_000, decimal_places=2)] | None = Field(
        None, description="price_optimization: the new price"
    )

    def facts(self) -> dict[str, Fact]:
        """Return the changed facts: money in paisa, quantities in thousandths."""
        quantity, date, customers, price = (
            self.recommended_qty,
            self.reorder_by_date,
            self.customer_ids,
            self.suggested_price,
        )
        facts: dict[str, Fact] = {
            "recommended_qty": None if quantity is None else int(quantity * THOUSANDTHS),
            "reorder_by": None if date is None else str(date),
            "customer_ids": customers and sorted(set(customers)),
            "suggested_price": None if price is None else int(price * PAISA),
        }
        return {name: value for name, value in facts.items() if value is not None}


class Execution(Body):
    """Confirmation, and what is done differently."""

    confirmation: Annotated[bool, Field(strict=True, examples=[True])]
    modified_action: ModifiedAction | None = Field(
        None,
        description="By type: reorder {recommended_qty, reorder_by_date}, retention {customer_ids},"
        " price_optimization {suggested_price}, cash_warning nothing",
        examples=[{"recommended_qty": 20, "reorder_by_date": "2025-11-05"}],
    )

    def changes(self) -> dict[str, Fact]:
        """Return the changed facts."""
        return self.modified_action.facts() if self.modified_action else {}


class Dismissal(Body):
    """Why the owner declines."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] | None = Field(
        None, examples=["The supplier is closed this week"]
    )


class RecommendationAnswer(BaseModel):
    """What was recorded, and the recommendation after it."""

    message: str
    recommendation: Recommendation


class OrderLine(BaseModel):
    """A line for the order list."""

    product_id: int
    product_name: str
    quantity: Quantity
    order_by: dt.date
    text: str
    sales_value: Taka | None


class BilingualText(BaseModel):
    """A text in both languages."""

    bn: str
    en: str


class BilingualLink(BaseModel):
    """A link for each language; null without a phone number."""

    bn: str | None
    en: str | None


class MessageDraft(BaseModel):
    """A drafted message to a customer, with links that open it in WhatsApp."""

    customer_id: int
    name: str
    phone: str | None
    text: BilingualText
    whatsapp: BilingualLink


class SideEffects(BaseModel):
    """What the owner can use; nothing was sent."""

    rfq_created: bool
    sms_queued: bool
    note: str
    order_list: list[OrderLine]
    messages: list[MessageDraft]


class ExecutionAnswer(RecommendationAnswer):
    """An executed recommendation with drafts and next steps."""

    side_effects: SideEffects
    next_steps: str


_DONE: dict[str, Any] = {
    **EXAMPLE,
    "status": "executed",
    "action_data": {**EXAMPLE["action_data"], "recommended_qty": 20},
    "engagement": {**EXAMPLE["engagement"], "is_executed": True, "executed_at": "2025-11-03T14:05:00Z"},
    "modified": ["recommended_qty"],
}
VIEWED = answers(RecommendationAnswer, {"message": "Recommendation viewed", "recommendation": EXAMPLE}, "Recorded")
DISMISSED = answers(
    RecommendationAnswer,
    {"message": "Recommendation dismissed", "recommendation": {**EXAMPLE, "status": "dismissed"}},
    "Recorded",
)
EXECUTED = answers(
    ExecutionAnswer,
    {
        "message": "Action executed",
        "recommendation": _DONE,
        "side_effects": {
            "rfq_created": False,
            "sms_queued": False,
            "note": "The order line is ready to copy; nothing was sent to a supplier.",
            "order_list": [
                {
                    "product_id": 1,
                    "product_name": "Basmati Rice",
                    "quantity": 20,
                    "order_by": "2025-11-05",
                    "text": "Basmati Rice: 20",
                    "sales_value": 2400,
                }
            ],
            "messages": [],
        },
        "next_steps": "Place the order, and record the delivery under Stock when it arrives. …",
    },
    "Recorded; `order_list` and `messages` are for the owner to use, nothing was sent",
)
