"""The recommendations of a business, the owner's answers to them, and their outcomes."""

from typing import Any

import msgspec

from projections.engine.deltas import Deltas, Table
from projections.engine.projection import Projection
from shared.domain.events.recommendations import (
    RecommendationDismissed,
    RecommendationExecuted,
    RecommendationExpired,
    RecommendationFollowedUp,
    RecommendationIssued,
    RecommendationRefreshed,
    RecommendationViewed,
    RecommendationWithdrawn,
)
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.vault import SubjectKeys

PENDING, VIEWED, DISMISSED, EXECUTED = range(4)
_SAID = ("urgency", "priority", "impact", "stake", "stake_basis", "facts", "expires_on", "rule", "based_on")
_JSON = frozenset({"facts", "based_on"})

RECOMMENDATIONS_TABLE = Table(
    "recommendations",
    ("business_id", "id"),
    changes={
        **dict.fromkeys(("type", "subject", *_SAID, "created_at"), "set"),
        "status": "greatest",
        "reason": "set",
        "viewed_at": "least",
        "seconds": "add",
        **dict.fromkeys(("executed_at", "action", "modified", "follow_until", "outcome", "outcome_facts"), "set"),
        "position": "greatest",
    },
)


def on_recommendation_issued(
    recorded: RecordedEvent, event: RecommendationIssued, deltas: Deltas, _: SubjectKeys
) -> None:
    """Insert an issued recommendation."""
    first = {"type": event.type, "subject": event.subject, "created_at": recorded.recorded_at, "status": PENDING}
    _merge(recorded, event.recommendation_id, deltas, **first, **_said(event))


def on_recommendation_refreshed(
    recorded: RecordedEvent, event: RecommendationRefreshed, deltas: Deltas, _: SubjectKeys
) -> None:
    """Update the numbers of a recommendation."""
    _merge(recorded, event.recommendation_id, deltas, **_said(event))


def on_recommendation_withdrawn(
    recorded: RecordedEvent, event: RecommendationWithdrawn, deltas: Deltas, _: SubjectKeys
) -> None:
    """Dismiss a recommendation whose reason no longer holds."""
    _merge(recorded, event.recommendation_id, deltas, status=DISMISSED, reason=event.reason)


def on_recommendation_expired(
    recorded: RecordedEvent, event: RecommendationExpired, deltas: Deltas, _: SubjectKeys
) -> None:
    """Dismiss a recommendation that was not answered in time."""
    _merge(recorded, event.recommendation_id, deltas, status=DISMISSED, reason="expired")


def on_recommendation_viewed(
    recorded: RecordedEvent, event: RecommendationViewed, deltas: Deltas, _: SubjectKeys
) -> None:
    """Record that the owner viewed it: the time of the first view, the seconds of all."""
    at = recorded.recorded_at
    _merge(recorded, event.recommendation_id, deltas, status=VIEWED, viewed_at=at, seconds=event.seconds)


def on_recommendation_executed(
    recorded: RecordedEvent, event: RecommendationExecuted, deltas: Deltas, _: SubjectKeys
) -> None:
    """Record that the owner executed it, possibly with changes."""
    _merge(
        recorded,
        event.recommendation_id,
        deltas,
        status=EXECUTED,
        executed_at=recorded.recorded_at,
        action=_json(event.action),
        modified=_json(event.modified),
        follow_until=event.follow_until,
    )


def on_recommendation_dismissed(
    recorded: RecordedEvent, event: RecommendationDismissed, deltas: Deltas, _: SubjectKeys
) -> None:
    """Record that the owner dismissed it."""
    _merge(recorded, event.recommendation_id, deltas, status=DISMISSED, reason=event.reason)


def on_recommendation_followed_up(
    recorded: RecordedEvent, event: RecommendationFollowedUp, deltas: Deltas, _: SubjectKeys
) -> None:
    """Record the outcome."""
    facts = _json(event.facts)
    _merge(recorded, event.recommendation_id, deltas, outcome=event.outcome, outcome_facts=facts)


def _merge(recorded: RecordedEvent, number: int, deltas: Deltas, **changes: Any) -> None:  # noqa: ANN401 - a column's value
    key = (recorded.business_id, number)
    deltas.merge(RECOMMENDATIONS_TABLE, key, position=recorded.position, **changes)


def _said(event: RecommendationIssued | RecommendationRefreshed) -> dict[str, Any]:
    values = {name: getattr(event, name) for name in _SAID}
    return {name: _json(value) if name in _JSON else value for name, value in values.items()}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


RECOMMENDATIONS = Projection(
    name="recommendations",
    version=1,
    package="projections.recommendations",
    tables=(RECOMMENDATIONS_TABLE,),
    handlers={
        RecommendationIssued: on_recommendation_issued,
        RecommendationRefreshed: on_recommendation_refreshed,
        RecommendationWithdrawn: on_recommendation_withdrawn,
        RecommendationExpired: on_recommendation_expired,
        RecommendationViewed: on_recommendation_viewed,
        RecommendationExecuted: on_recommendation_executed,
        RecommendationDismissed: on_recommendation_dismissed,
        RecommendationFollowedUp: on_recommendation_followed_up,
    },
)
