"""Answers about transactions and series of sales."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shared.domain.presentation.schemas import BusinessDate, Currency, Taka, Transaction
from shared.domain.presentation.units import CURRENCY
from shared.http.answers import ListOf, answers, listed


class TransactionSummary(BaseModel):
    """The sums of all matching transactions; `total_revenue` is `gross_revenue` less `returns`."""

    gross_revenue: Taka
    returns: Taka
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
    "kind": "sale",
}
ONE = answers(Transaction, _SALE, "As an item of the list")
LIST = listed(
    TransactionList,
    {
        "count": 1250,
        "next": "/api/transactions?offset=50",
        "previous": None,
        "results": [_SALE],
        "summary": {
            "gross_revenue": 450000,
            "returns": 0,
            "total_revenue": 450000,
            "average_value": 360,
            "transaction_count": 1250,
            "currency": CURRENCY,
        },
        "next_cursor": "WyJkYXRlIix0cnVlLCIyMDI1LTExLTAzVDE0OjMwOjAwIiwxMjAxXQ",
    },
    "One page; `summary` covers all matching transactions, not only the page",
)


class SalesSums(BaseModel):
    """What was sold in a period."""

    revenue: Taka
    transactions: int
    units: float


class SalesBucket(SalesSums):
    """What was sold in one day, week or month; `date` is its first day."""

    date: BusinessDate


class SalesPeriod(BaseModel):
    """The buckets of a period, oldest first, and their sums."""

    date_from: BusinessDate
    date_to: BusinessDate
    results: list[SalesBucket]
    summary: SalesSums


class SalesSeries(SalesPeriod):
    """A period by day, week or month, with the period before it if asked for."""

    by: Literal["day", "week", "month"]
    previous: Annotated[SalesPeriod | None, Field(description="Null unless compared")]
    currency: Currency


_SUMS = {"revenue": 11500, "transactions": 42, "units": 61.5}
SERIES = answers(
    SalesSeries,
    {
        "by": "day",
        "date_from": "2025-11-03",
        "date_to": "2025-11-03",
        "results": [{"date": "2025-11-03", **_SUMS}],
        "summary": _SUMS,
        "previous": {
            "date_from": "2025-11-02",
            "date_to": "2025-11-02",
            "results": [{"date": "2025-11-02", **_SUMS}],
            "summary": _SUMS,
        },
        "currency": CURRENCY,
    },
    "Every bucket of the period, also those without sales",
)
