"""Answers about transactions."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from shared.domain.presentation.schemas import Currency, LocalTime, PaymentMethod, Quantity, Taka
from shared.domain.presentation.units import CURRENCY
from shared.http.answers import ListOf, answers

TransactionKind = TypeAliasType("TransactionKind", Literal["sale", "return", "purchase", "expense"])


class Transaction(BaseModel):
    """A sale, or with `kind` and `description` another transaction of an upload."""

    id: int
    date: LocalTime
    product_id: int | None
    product_name: str | None
    quantity: Quantity
    amount: Taka
    unit_price: Annotated[float | None, Field(description="Taka per unit; null for a quantity of 0")]
    customer_id: int | None
    customer_name: str | None
    payment_method: PaymentMethod | None
    data_source: str
    kind: TransactionKind = "sale"
    description: Annotated[str | None, Field(description="The purpose of an expense")] = None


class TransactionSummary(BaseModel):
    """The sums of all matching transactions."""

    total_revenue: Taka
    average_value: Taka
    transaction_count: int
    currency: Currency


class TransactionList(ListOf[Transaction]):
    """One page of transactions."""

    summary: TransactionSummary


_SALE = {
    "id": 1250,
    "date": "2025-11-03T14:30:00+06:00",
    "product_id": 5,
    "product_name": "Shirt",
    "quantity": 2,
    "amount": 600,
    "unit_price": 300,
    "customer_id": 7,
    "customer_name": "Fatema",
    "payment_method": "cash",
    "data_source": "csv",
}
ONE = answers(Transaction, _SALE, "As an item of the list")
LIST = answers(
    TransactionList,
    {
        "count": 1250,
        "next": "/api/transactions?offset=50",
        "previous": None,
        "results": [_SALE],
        "summary": {"total_revenue": 450000, "average_value": 360, "transaction_count": 1250, "currency": CURRENCY},
        "next_cursor": "WyJkYXRlIix0cnVlLCIyMDI1LTExLTAzVDE0OjMwOjAwIiwxMjAxXQ",
    },
    "One page; `summary` covers all matching transactions, not only the page",
)
