"""Recommendations to a shop, the answers of its owner, and their outcomes.

All recommendations of a shop are one stream. Events carry facts: texts are made at reading, names are looked up then.
Money is integer paisa, quantities are thousandths, dates are business dates in Asia/Dhaka.
"""

import datetime as dt
from typing import ClassVar

from shared.eventstore.event import About, AuditAction, Dated, Event

Fact = int | str | list[int] | None
BasedOn = dict[str, tuple[int, int]]


class RecommendationIssued(Event, frozen=True):
    """Something to do was found; `type` and `subject` (`product-7`, `customers`, `cash`) tell it from any other.

    `priority` and `impact` in hundredths; `stake` is the money it is about, computed as `stake_basis` says; `facts` per
    type are listed in `shared.domain.rules.recommend`. `based_on` names the generation and position read per read
    model, `rule` the versions of the rules that decided and of those that made the rows.
    """

    topic: ClassVar[str] = "recommendations.RecommendationIssued"
    books: ClassVar[Dated | About | None] = Dated(None)
    recommendation_id: int
    type: str
    subject: str
    urgency: str
    priority: int
    impact: int
    stake: int
    stake_basis: str
    facts: dict[str, Fact]
    expires_on: dt.date
    rule: str
    based_on: BasedOn


class RecommendationRefreshed(Event, frozen=True):
    """The same thing is still to be done, but its numbers or its urgency are others; fields as when it was issued."""

    topic: ClassVar[str] = "recommendations.RecommendationRefreshed"
    books: ClassVar[Dated | About | None] = Dated(None)
    recommendation_id: int
    urgency: str
    priority: int
    impact: int
    stake: int
    stake_basis: str
    facts: dict[str, Fact]
    expires_on: dt.date
    rule: str
    based_on: BasedOn


class RecommendationWithdrawn(Event, frozen=True):
    """It need not be done any more: its reason is gone (`resolved`), or its numbers are too old to tell (`stale`)."""

    topic: ClassVar[str] = "recommendations.RecommendationWithdrawn"
    books: ClassVar[Dated | About | None] = Dated(None)
    recommendation_id: int
    reason: str
    based_on: BasedOn


class RecommendationExpired(Event, frozen=True):
    """Nobody did it in time; `date` is the day that found it so."""

    topic: ClassVar[str] = "recommendations.RecommendationExpired"
    books: ClassVar[Dated | About | None] = Dated(None)
    recommendation_id: int
    date: dt.date


class RecommendationViewed(Event, frozen=True):
    """The owner viewed it, for a number of seconds if the client reported one."""

    topic: ClassVar[str] = "recommendations.RecommendationViewed"
    audit: ClassVar[AuditAction | None] = AuditAction("recommendation_view", "recommendation", "recommendation_id")
    books: ClassVar[Dated | About | None] = Dated(None)
    recommendation_id: int
    seconds: int = 0


class RecommendationExecuted(Event, frozen=True):
    """The owner said to do it: `action` is what, with the owner's own changes in it, `modified` the names of those.

    Nothing was sent to anybody. `follow_until` is the last day on which the outcome is measured.
    """

    topic: ClassVar[str] = "recommendations.RecommendationExecuted"
    audit: ClassVar[AuditAction | None] = AuditAction("recommendation_execute", "recommendation", "recommendation_id")
    books: ClassVar[Dated | About | None] = Dated(None)
    recommendation_id: int
    date: dt.date
    action: dict[str, Fact]
    follow_until: dt.date
    modified: list[str] = []


class RecommendationDismissed(Event, frozen=True):
    """The owner won't do it."""

    topic: ClassVar[str] = "recommendations.RecommendationDismissed"
    audit: ClassVar[AuditAction | None] = AuditAction("recommendation_dismiss", "recommendation", "recommendation_id")
    books: ClassVar[Dated | About | None] = Dated(None)
    recommendation_id: int
    date: dt.date
    reason: str | None = None


class RecommendationFollowedUp(Event, frozen=True):
    """What came of one that was executed.

    outcome: `stock_arrived` or `no_delivery`, `customers_returned` or `nobody_returned`, `cash_stayed_above` or
    `cash_fell_below`, `price_changed` or `price_kept`; `facts` say how much or who.
    """

    topic: ClassVar[str] = "recommendations.RecommendationFollowedUp"
    books: ClassVar[Dated | About | None] = Dated(None)
    recommendation_id: int
    date: dt.date
    outcome: str
    facts: dict[str, Fact]
