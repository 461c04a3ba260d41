"""Answers with recommendations."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from shared.domain.presentation.recommendation_schemas import EXAMPLE, Recommendation
from shared.domain.presentation.schemas import BusinessDate, Currency, Share, Taka
from shared.http.answers import ListOf, answers, listed

EmptyReason = TypeAliasType(
    "EmptyReason",
    Literal[
        "question_waiting",
        "import_running",
        "no_sales",
        "stale",
        "forecasts_pending",
        "stock_unknown",
        "nothing_urgent",
    ],
)


class RecommendationSummary(BaseModel):
    """The open recommendations; `estimated_impact` is the mean impact of the pending ones."""

    total_pending: int
    high_urgency_count: int
    estimated_impact: Share
    total_open: int


class RecommendationList(ListOf[Recommendation]):
    """One page of recommendations."""

    summary: RecommendationSummary


class AtStake(BaseModel):
    """The sum of the stakes of today's actions."""

    amount: Taka
    currency: Currency


class Today(BaseModel):
    """The most important open recommendations; `more` is the number of other open ones."""

    date: BusinessDate
    actions: list[Recommendation]
    at_stake: AtStake
    more: int
    stale: Annotated[bool, Field(description="Whether the last sale is older than 14 days")]
    data_as_of: Annotated[BusinessDate | None, Field(description="The last day with a sale")]
    reason: Annotated[EmptyReason | None, Field(description="Why there are no actions; null if there are")]
    message: str | None
    suggestions: list[str]


LIST = listed(
    RecommendationList,
    {
        "count": 5,
        "next": "/api/recommendations?limit=1&offset=1",
        "previous": None,
        "results": [EXAMPLE],
        "summary": {
            "total_pending": 3,
            "high_urgency_count": 2,
            "estimated_impact": 0.85,
            "total_open": 4,
        },
        "next_cursor": "WyJwcmlvcml0eV9zY29yZSIsdHJ1ZSw4OCwxXQ",
    },
    "One page; the summary counts what is pending, `estimated_impact` is its mean impact",
)
TODAY = answers(
    Today,
    {
        "date": "2025-11-03",
        "actions": [EXAMPLE],
        "at_stake": {"amount": 2760, "currency": "BDT"},
        "more": 0,
        "stale": False,
        "data_as_of": "2025-11-03",
        "reason": None,
        "message": None,
        "suggestions": [],
    },
    "At most three; `more` is the number of other open ones",
)
