"""Decides a review: the wanted recommendations against the open and muted ones, and the outcomes of executed ones."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.events.recommendations import (
    BasedOn,
    RecommendationExpired,
    RecommendationIssued,
    RecommendationRefreshed,
    RecommendationWithdrawn,
)
from shared.domain.rules.follow_up import Outcome
from shared.domain.rules.recommendation_candidates import DEFAULTS, Candidate, at_once
from shared.eventstore.event import Event
from write_side.recommendations.aggregate import MUTED, Advice, Item, follow_up


@dataclass(frozen=True)
class Review:
    """The result of the rules for one state of the read models, `based_on`.

    wanted: what the rules recommend today; outcomes of executed recommendations by id; `stale`: the shop has no recent
    sales; new recommendations are numbered from `first_id`.
    """

    wanted: Sequence[Candidate]
    outcomes: Mapping[int, Outcome]
    based_on: BasedOn
    stale: bool
    first_id: int = 0


def decide(review: Review, advice: Advice, today: dt.date) -> list[Event]:
    """Return what a review changes: issued, refreshed, withdrawn and expired recommendations, and new outcomes.

    An open recommendation is refreshed in place when its numbers change. One without a date of its own expires after
    some days even if it is still wanted: no answer mutes like a dismissal.
    """
    by_key = {item.key: item for item in review.wanted}
    events: list[Event] = []
    for key, number in sorted(advice.open.items(), key=lambda entry: entry[1]):
        item, want = advice.items[number], by_key.get(key)
        if _has_expired(item, want, today):
            events.append(RecommendationExpired(number, today))
        elif want is None:
            events.append(RecommendationWithdrawn(number, "stale" if review.stale else "resolved", review.based_on))
        elif body := _changed(item, want, today):
            events.append(RecommendationRefreshed(number, **body, rule=want.rule, based_on=review.based_on))
    for number, want in enumerate(to_issue(review.wanted, advice, today), review.first_id):
        body = {**_body(want, today + dt.timedelta(DEFAULTS.open_days)), "rule": want.rule}
        events.append(RecommendationIssued(number, want.type, want.subject, **body, based_on=review.based_on))
    return [*events, *follow_up(review.outcomes, advice, today)]


def to_issue(wanted: Sequence[Candidate], advice: Advice, today: dt.date) -> list[Candidate]:
    """Return the wanted recommendations that are neither open nor muted.

    Slow movers are limited together with the open ones: a waiting candidate never displaces an open one.
    """
    due = [item for item in wanted if _stays(item, advice, today) or _may_be_issued(item, advice, today)]
    return [item for item in at_once(due, advice.open) if item.key not in advice.open]


def _stays(want: Candidate, advice: Advice, today: dt.date) -> bool:
    number = advice.open.get(want.key)
    return number is not None and not _has_expired(advice.items[number], want, today)


def _may_be_issued(want: Candidate, advice: Advice, today: dt.date) -> bool:
    muted_until = advice.muted_until.get(want.key, dt.date.min)
    # Longer than any answer mutes: that was on a day which a wrong clock had opened.
    return want.key not in advice.open and not today < muted_until <= today + MUTED


def _has_expired(item: Item, want: Candidate | None, today: dt.date) -> bool:
    return item.expires_on < today and (want is None or want.expires_on is None)


def _body(want: Candidate, undated: dt.date) -> dict[str, Any]:
    return {
        "urgency": want.urgency,
        "priority": want.priority,
        "impact": want.impact,
        "stake": want.stake,
        "stake_basis": want.stake_basis,
        "facts": want.facts,
        "expires_on": want.expires_on or undated,
    }


def _changed(item: Item, want: Candidate, today: dt.date) -> dict[str, Any] | None:
    """Return the new body of an open recommendation, None if it is unchanged."""
    latest = today + dt.timedelta(DEFAULTS.open_days)  # earlier than a date from a day that a wrong clock had opened
    body = _body(want, min(item.expires_on, latest))
    return body if any(getattr(item, name) != value for name, value in body.items()) else None
