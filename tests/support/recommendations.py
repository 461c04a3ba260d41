"""Given events of recommendations, when they are reviewed."""

import datetime as dt

from shared.domain.rules.recommendation_candidates import Candidate
from shared.eventstore.event import Event
from write_side.recommendations.aggregate import Advice, evolve
from write_side.recommendations.review import Review, decide

TODAY = dt.date(2025, 11, 3)
NOW = dt.datetime(2025, 11, 3, 6, tzinfo=dt.UTC)
BASED_ON = {"inventory": (4, 41)}


def after(*events: Event, advice: Advice | None = None) -> Advice:
    advice = advice or Advice()
    for event in events:
        advice = evolve(advice, event, NOW, 7)
    return advice


def reviewed(
    advice: Advice, *wanted: Candidate, on: dt.date = TODAY, first: int | None = None, stale: bool = False
) -> list[Event]:
    first_id = len(advice.items) + 1 if first is None else first
    return decide(Review(wanted, {}, BASED_ON, stale, first_id), advice, on)


def opened(*wanted: Candidate) -> Advice:
    return after(*reviewed(Advice(), *wanted))
