"""Events of recommendations as tests write them."""

import datetime as dt

from shared.domain.events.recommendations import BasedOn, Fact, RecommendationIssued, RecommendationRefreshed

DAY = dt.date(2025, 10, 29)

BASED_ON: BasedOn = {"inventory": (4, 41)}


def issued(
    number: int = 1,
    kind: str = "reorder",
    urgency: str = "high",
    *,
    subject: str = "product-1",
    priority: int = 88,
    impact: int = 80,
    stake: int = 500,
    facts: dict[str, Fact] | None = None,
    expires_on: dt.date = DAY,
    based_on: BasedOn = BASED_ON,
) -> RecommendationIssued:
    """Return a new recommendation."""
    reported: dict[str, Fact] = {"product_id": 1} if facts is None else facts
    return RecommendationIssued(
        number,
        kind,
        subject,
        urgency,
        priority,
        impact,
        stake,
        "unmet_demand",
        reported,
        expires_on,
        "recommend.v1",
        based_on,
    )


def refreshed(number: int = 1, urgency: str = "medium", **facts: Fact) -> RecommendationRefreshed:
    """Return the same with other numbers."""
    return RecommendationRefreshed(
        number, urgency, 64, 80, 300, "unmet_demand", facts, DAY + dt.timedelta(1), "recommend.v2", BASED_ON
    )
