"""Answers about transactions."""

from pydantic import BaseModel

from shared.domain.presentation.schemas import Currency, Taka, Transaction
from shared.domain.presentation.units import CURRENCY
from shared.http.answers import ListOf, answers


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
