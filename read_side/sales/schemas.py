"""Answers about transactions."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shared.domain.presentation.schemas import BusinessDate, Currency, Taka, Transaction
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


class SeriesSums(BaseModel):
    """Sums of sales; `quantity` is null unless they are of one product."""

    revenue: Taka
    transaction_count: int
    quantity: float | None


class SeriesPoint(SeriesSums):
    """The sums of a day, week or month."""

    date: Annotated[BusinessDate, Field(description="First day of the bucket")]


class SeriesPeriod(BaseModel):
    """A period with a point for every day, week or month."""

    date_from: BusinessDate
    date_to: BusinessDate
    points: list[SeriesPoint]
    total: SeriesSums


class SalesSeries(SeriesPeriod):
    """Sums of sales, with those of the period before if they were requested."""

    by: Literal["day", "week", "month"]
    currency: Currency
    previous: SeriesPeriod | None


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
SERIES = answers(
    SalesSeries,
    {
        "by": "day",
        "currency": CURRENCY,
        "date_from": "2025-11-02",
        "date_to": "2025-11-03",
        "points": [
            {"date": "2025-11-02", "revenue": 8200, "transaction_count": 31, "quantity": None},
            {"date": "2025-11-03", "revenue": 9450.5, "transaction_count": 36, "quantity": None},
        ],
        "total": {"revenue": 17650.5, "transaction_count": 67, "quantity": None},
        "previous": None,
    },
)
