"""What a review changes: what is wanted today against what is open, what was answered, and what came of it."""

import datetime as dt
from collections.abc import Mapping, Sequence
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
from write_side.recommendations.aggregate import Advice, Item, follow_up


def to_issue(wanted: Sequence[Candidate], advice: Advice, today: dt.date) -> list[Candidate]:
    """Return what is wanted, is not open, and whose subject need not be left alone.

    Of slow movers no more than there is room for beside those that stay open: who waits takes nobody's place.
    """
    due = [item for item in wanted if _stays(item, advice, today) or _may_come(item, advice, today)]
    return [item for item in at_once(due, advice.open) if item.key not in advice.open]


def review(
    wanted: Sequence[Candidate], advice: Advice, today: dt.date, based_on: BasedOn, *, first_id: int, stale: bool
) -> list[Event]:
    """Return what changes: new ones numbered from `first_id`, refreshed ones, those withdrawn or run out.

    An open one is refreshed in place as often as its numbers change. One without a day of its own ends after a while,
    wanted or not: who did not answer is left alone like who said no.
    """
    by_key = {item.key: item for item in wanted}
    events: list[Event] = []
    for key, number in sorted(advice.open.items(), key=lambda entry: entry[1]):
        item, want = advice.items[number], by_key.get(key)
        if _has_run_out(item, want, today):
            events.append(RecommendationExpired(number, today))
        elif want is None:
            events.append(RecommendationWithdrawn(number, "stale" if stale else "resolved", based_on))
        elif body := _news(item, want):
            events.append(RecommendationRefreshed(number, **body, rule=want.rule, based_on=based_on))
    for number, want in enumerate(to_issue(wanted, advice, today), first_id):
        body = _body(want, today + dt.timedelta(DEFAULTS.open_days))
        events.append(RecommendationIssued(number, want.type, want.subject, **body, rule=want.rule, based_on=based_on))
    return events


def reviewed(
    wanted: Sequence[Candidate],
    outcomes: Mapping[int, Outcome],
    advice: Advice,
    today: dt.date,
    based_on: BasedOn,
    *,
    first_id: int,
    stale: bool,
) -> list[Event]:
    """Return what a review changes, and what came of what was executed."""
    changes = review(wanted, advice, today, based_on, first_id=first_id, stale=stale)
    return [*changes, *follow_up(outcomes, advice, today)]


def _stays(want: Candidate, advice: Advice, today: dt.date) -> bool:
    number = advice.open.get(want.key)
    return number is not None and not _has_run_out(advice.items[number], want, today)


def _may_come(want: Candidate, advice: Advice, today: dt.date) -> bool:
    return want.key not in advice.open and today >= advice.silent_until.get(want.key, dt.date.min)


def _has_run_out(item: Item, want: Candidate | None, today: dt.date) -> bool:
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


def _news(item: Item, want: Candidate) -> dict[str, Any] | None:
    """Return what is to be told anew of an open one, None if it says so already."""
    body = _body(want, item.expires_on)
    return body if any(getattr(item, name) != value for name, value in body.items()) else None
