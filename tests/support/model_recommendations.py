"""What the read model of recommendations must hold, worked out afresh from a whole history."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

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

Row = dict[str, Any]
_CLOSING = RecommendationDismissed | RecommendationExpired | RecommendationWithdrawn
_EVENTS = (
    RecommendationIssued
    | RecommendationRefreshed
    | RecommendationViewed
    | RecommendationExecuted
    | RecommendationFollowedUp
    | _CLOSING
)


def recommendations(history: Sequence[RecordedEvent], _: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Return the tables of the projection `recommendations`."""
    reported: dict[tuple[int | None, int], list[tuple[RecordedEvent, Any]]] = {}
    for recorded in history:
        event = recorded.event
        if isinstance(event, _EVENTS):
            reported.setdefault((recorded.business_id, event.recommendation_id), []).append((recorded, event))
    return {"recommendations": [_row(*key, facts) for key, facts in reported.items()]}


def _row(business: int | None, number: int, facts: list[tuple[RecordedEvent, Any]]) -> Row:
    issued = [(r, e) for r, e in facts if isinstance(e, RecommendationIssued)]
    said = [e for _, e in facts if isinstance(e, RecommendationIssued | RecommendationRefreshed)]
    views = [(r, e) for r, e in facts if isinstance(e, RecommendationViewed)]
    executed = [(r, e) for r, e in facts if isinstance(e, RecommendationExecuted)]
    reasons = [_reason(e) for _, e in facts if isinstance(e, _CLOSING)]
    outcomes = [e for _, e in facts if isinstance(e, RecommendationFollowedUp)]
    statuses: dict[type[Any], int] = {RecommendationIssued: 0, RecommendationViewed: 1, RecommendationExecuted: 3}
    ranks = [2 if isinstance(e, _CLOSING) else statuses.get(type(e)) for _, e in facts]
    done = executed[-1][1] if executed else None
    body = ("urgency", "priority", "impact", "stake", "stake_basis", "expires_on", "rule")
    return {
        "business_id": business,
        "id": number,
        "position": facts[-1][0].position,
        **{name: getattr(said[-1], name) if said else None for name in body},
        "facts": _json(said[-1].facts) if said else None,
        "based_on": _json(said[-1].based_on) if said else None,
        "type": issued[-1][1].type if issued else None,
        "subject": issued[-1][1].subject if issued else None,
        "created_at": issued[-1][0].recorded_at if issued else None,
        "status": max((rank for rank in ranks if rank is not None), default=None),
        "reason": next((reason for reason in reversed(reasons) if reason is not None), None),
        "viewed_at": views[0][0].recorded_at if views else None,
        "seconds": sum(e.seconds for _, e in views),
        "executed_at": executed[-1][0].recorded_at if executed else None,
        "action": _json(done.action) if done else None,
        "modified": _json(done.modified) if done else None,
        "follow_until": done.follow_until if done else None,
        "outcome": outcomes[-1].outcome if outcomes else None,
        "outcome_facts": _json(outcomes[-1].facts) if outcomes else None,
    }


def _reason(event: _CLOSING) -> str | None:
    return "expired" if isinstance(event, RecommendationExpired) else event.reason


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)
