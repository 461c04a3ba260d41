"""Answers about customers."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from shared.domain.presentation.schemas import LocalTime, RiskLevel, Share, Taka
from shared.http.answers import ListOf, answers, listed

Segment = TypeAliasType("Segment", Literal["champion", "loyal", "potential", "at_risk", "dormant"])
RiskCode = TypeAliasType(
    "RiskCode",
    Literal[
        "no_purchase",
        "out_of_rhythm",
        "fewer_visits",
        "long_silence",
        "quiet",
        "recent_and_frequent",
        "recent",
    ],
)
Score = Annotated[int, Field(ge=1, le=5)]


class PurchaseMetrics(BaseModel):
    """What a customer has bought."""

    total_spent: Taka
    purchase_count: Annotated[int, Field(description="Days with a purchase")]
    transaction_count: int
    last_purchase: LocalTime | None
    days_since: int | None
    avg_value: Annotated[float, Field(description="Taka per day with a purchase")]


class ChurnAnalysis(BaseModel):
    """The risk that a customer does not come back, and why."""

    rfm_segment: Segment
    rfm_score: Annotated[float, Field(ge=1, le=5)]
    recency_score: Score
    frequency_score: Score
    monetary_score: Score
    churn_risk_score: Share
    churn_risk_level: RiskLevel
    declining: bool
    risk_reason: str
    risk_code: RiskCode


class Customer(BaseModel):
    """A customer; after personal data was erased the name and contact fields are null."""

    id: int
    name: str | None
    phone: str | None
    email: str | None
    address: str | None
    notes: str | None
    purchase_metrics: PurchaseMetrics
    churn_analysis: ChurnAnalysis
    return_probability: Annotated[float | None, Field(description="Of a visit within 90 days", ge=0, le=1)]
    return_rank: Annotated[int | None, Field(description="5: likeliest fifth to return", ge=1, le=5)]


class Baki(BaseModel):
    """What a customer owes for sales on credit; negative if paid in advance."""

    owed: Taka
    lent: Annotated[float, Field(description="All sales on credit less returns, in taka")]
    paid: Annotated[float, Field(description="All payments, in taka")]


class MergeCandidate(BaseModel):
    """A customer who may be the same person, and why."""

    id: int
    name: str | None
    phone: str | None
    reason: str


class CustomerWithDebt(Customer):
    """A customer with the debt, the customers merged into it, and at most five who may be the same person."""

    baki: Baki
    merged_ids: list[int]
    merge_candidates: list[MergeCandidate]


class SegmentCounts(BaseModel):
    """The number of customers in each segment."""

    champions: int
    loyal: int
    potential: int
    at_risk: int
    dormant: int
    total: int


class CustomerList(ListOf[Customer]):
    """One page of customers."""

    summary: SegmentCounts


_CUSTOMER = {
    "id": 1,
    "name": "Fatema",
    "phone": "+8801712345678",
    "email": "fatema@example.com",
    "address": None,
    "notes": None,
    "purchase_metrics": {
        "total_spent": 45000,
        "purchase_count": 35,
        "transaction_count": 52,
        "last_purchase": "2025-11-02T10:00:00+06:00",
        "days_since": 18,
        "avg_value": 1285.71,
    },
    "churn_analysis": {
        "rfm_segment": "loyal",
        "rfm_score": 4.67,
        "recency_score": 4,
        "frequency_score": 5,
        "monetary_score": 5,
        "churn_risk_score": 0.05,
        "churn_risk_level": "low",
        "declining": False,
        "risk_reason": "Recent and frequent buyer",
        "risk_code": "recent_and_frequent",
    },
    "return_probability": 0.94,
    "return_rank": 5,
}
ONE = answers(
    CustomerWithDebt,
    {**_CUSTOMER, "baki": {"owed": 1200, "lent": 5200, "paid": 4000}, "merged_ids": [], "merge_candidates": []},
    "As an item of the list, with the debt; 409 CUSTOMER_MERGED names the remaining customer",
)
LIST = listed(
    CustomerList,
    {
        "count": 45,
        "next": "/api/customers?offset=20",
        "previous": None,
        "results": [_CUSTOMER],
        "summary": {"champions": 8, "loyal": 9, "potential": 21, "at_risk": 5, "dormant": 2, "total": 45},
        "next_cursor": "WyJ0b3RhbF9zcGVudCIsdHJ1ZSw0NTAwMDAwLDFd",
    },
    "One page; a customer whose personal data was erased has no name. `purchase_count` counts days with a purchase."
    " `return_probability` is the probability of a visit within 90 days after the last day with sales; it is null"
    " until the shop has 180 days of sales. `return_rank` is from 5 for the likeliest fifth of customers to 1"
    " for the least likely fifth",
)
