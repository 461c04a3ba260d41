"""Answers about pictures of receipts."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from typing_extensions import TypeAliasType

from shared.domain.presentation.schemas import BusinessDate, PaymentMethod, Quantity, Share, Taka, UtcTime
from shared.http.answers import ListOf, answers, listed

ReceiptState = TypeAliasType("ReceiptState", Literal["pending", "read", "confirmed", "failed"])


class ReceiptLine(BaseModel):
    """A line that was read from a receipt."""

    product_name: str
    quantity: Quantity
    amount: Taka
    confidence: Share


class Receipt(BaseModel):
    """A picture of a receipt; `total`, `payment_method` and `lines` are empty until it is read, and count nowhere."""

    image_id: UUID
    state: ReceiptState
    is_verified: bool
    date: BusinessDate | None
    total: Taka | None
    payment_method: PaymentMethod | None
    lines: list[ReceiptLine]
    confidence: Share | None
    created_at: UtcTime


class ReceiptList(ListOf[Receipt]):
    """One page of receipts, newest first."""


_RECEIPT: dict[str, Any] = {
    "image_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
    "state": "pending",
    "is_verified": False,
    "date": "2025-11-03",
    "total": None,
    "payment_method": None,
    "lines": [],
    "confidence": None,
    "created_at": "2025-11-03T10:30:00Z",
}
ONE = answers(Receipt, _RECEIPT, "As an item of the list")
LIST = listed(
    ReceiptList,
    {"count": 1, "next": None, "previous": None, "results": [_RECEIPT], "next_cursor": None},
    "One page, newest first",
)
