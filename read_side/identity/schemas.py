"""Answers about the shop's profile."""

from typing import Any

from pydantic import BaseModel

from shared.domain.presentation.schemas import BusinessDate, Currency, Language, LocalTime, Taka
from shared.domain.presentation.units import CURRENCY
from shared.http.answers import answers


class BusinessStats(BaseModel):
    """The totals of the shop."""

    products: int
    customers: int
    total_transactions: int
    total_revenue: Taka
    last_transaction_date: BusinessDate | None


class BusinessProfile(BaseModel):
    """The profile of the shop; fields that were never set or cleared are null."""

    id: int
    name: str
    type: str | None
    phone_number: str | None
    city: str | None
    description: str | None
    stats: BusinessStats
    data_sources: list[str]
    is_demo: bool
    erased_after: LocalTime | None
    currency: Currency
    language: Language


_PROFILE = {
    "id": 1,
    "name": "Ali's Tea Shop",
    "type": "restaurant",
    "phone_number": "+880123456789",
    "city": "Dhaka",
    "description": None,
    "stats": {
        "products": 12,
        "customers": 45,
        "total_transactions": 1250,
        "total_revenue": 450000,
        "last_transaction_date": "2025-11-03",
    },
    "data_sources": ["csv", "receipt_ocr"],
    "is_demo": False,
    "erased_after": None,
    "currency": CURRENCY,
    "language": "bn",
}
PROFILE: dict[int | str, dict[str, Any]] = answers(BusinessProfile, _PROFILE)
