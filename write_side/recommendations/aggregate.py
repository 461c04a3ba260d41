"""All that a shop was advised to do: what a review changes, and what its owner does about it.

At most one is open per type and subject. After an owner's answer, and after nobody's, its subject is left alone for a
week; a reason that is gone takes it back at once.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from shared.domain.events.recommendations import (
    BasedOn,
    Fact,
    RecommendationDismissed,
    RecommendationExecuted,
    RecommendationExpired,
    RecommendationFollowedUp,
    RecommendationIssued,
    RecommendationRefreshed,
    RecommendationViewed,
    RecommendationWithdrawn,
)
from shared.domain.refusals.recommendations import (
    AlreadyDismissed,
    AlreadyExecuted,
    RecommendationNotFound,
    RecommendationOver,
)
from shared.domain.rules.follow_up import Executed, Outcome, watched_until
from shared.domain.rules.recommendation_candidates import Key
from shared.errors import InvalidRequest
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event

SILENCE = dt.timedelta(7)
MOST_SECONDS = 86_400


@dataclass(frozen=True)
class Item:
    """A recommendation as its events tell it; `closed`: `executed`, `dismissed`, `expired`, `withdrawn` or None."""

    id: int
    type: str
    subject: str
    urgency: str
    priority: int
    impact: int
    stake: int
    stake_basis: str
    facts: Mapping[str, Fact]
    expires_on: dt.date
    rule: str
    created_at: dt.datetime
    viewed_at: dt.datetime | None = None
    seconds: int = 0
    closed: str | None = None
    closed_on: dt.date | None = None
    closed_at: dt.datetime | None = None
    reason: str | None = None
    action: Mapping[str, Fact] = field(default_factory=lambda: MappingProxyType({}))
    modified: Sequence[str] = ()
    follow_until: dt.date | None = None
    position: int = 0
    outcome: str | None = None
    outcome_facts: Mapping[str, Fact] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def key(self) -> Key:
        """Return what it is about."""
        return self.type, self.subject


@dataclass(frozen=True)
class Advice:
    """The stream of a shop's recommendations: all of them, the open ones by key, and until when keys are left alone.

    `seen` is the newest position of each read model that an event was based on; `position` that of the last event.
    """

    items: Mapping[int, Item] = field(default_factory=lambda: MappingProxyType({}))
    open: Mapping[Key, int] = field(default_factory=lambda: MappingProxyType({}))
    silent_until: Mapping[Key, dt.date] = field(default_factory=lambda: MappingProxyType({}))
    seen: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    version: int = 0
    position: int = 0

    def item(self, recommendation_id: int) -> Item:
        """Return one; raises RecommendationNotFound."""
        found = self.items.get(recommendation_id)
        if found is None:
            raise RecommendationNotFound(details={"id": recommendation_id})
        return found

    def awaiting(self, today: dt.date) -> list[Executed]:
        """Return the executed ones of which it is still watched, or was never told, what came of them."""
        return [
            Executed(item.id, item.type, item.closed_on, item.position, item.follow_until, item.action)
            for item in self.items.values()
            if item.closed_on and item.follow_until and (item.outcome is None or today <= item.follow_until)
        ]


def view(recommendation_id: int, seconds: int, advice: Advice) -> list[RecommendationViewed]:
    """Return that it was looked at; seconds add up to a day at most. Raises RecommendationNotFound."""
    item = advice.item(recommendation_id)
    counted = min(seconds, MOST_SECONDS - item.seconds)
    return [RecommendationViewed(item.id, counted)] if counted or item.viewed_at is None else []


def execute(
    recommendation_id: int, changes: Mapping[str, Fact], advice: Advice, today: dt.date
) -> RecommendationExecuted:
    """Return that it is done, with the owner's changes.

    Raises RecommendationNotFound, AlreadyExecuted, AlreadyDismissed, RecommendationOver, and InvalidRequest for
    customers that it does not name.
    """
    item = _open(recommendation_id, advice, today)
    named = _ids(item.facts)
    if not set(_ids(changes)) <= set(named):
        raise InvalidRequest(details={"field": "modified_action.customer_ids", "expected": named})
    action = {**item.facts, **changes}
    modified = sorted(name for name, value in changes.items() if item.facts.get(name) != value)
    return RecommendationExecuted(item.id, today, action, watched_until(item.type, item.facts, today), modified)


def dismiss(
    recommendation_id: int, reason: str | None, advice: Advice, today: dt.date
) -> list[RecommendationDismissed]:
    """Return that it won't be done, nothing if that was said before.

    Raises RecommendationNotFound, AlreadyExecuted, RecommendationOver.
    """
    if advice.item(recommendation_id).closed == "dismissed":
        return []
    return [RecommendationDismissed(_open(recommendation_id, advice, today).id, today, reason)]


def follow_up(outcomes: Mapping[int, Outcome], advice: Advice, today: dt.date) -> list[RecommendationFollowedUp]:
    """Return what came of executed ones, where that is news."""
    events = []
    for number, told in sorted(outcomes.items()):
        item = advice.item(number)
        if item.closed == "executed" and (item.outcome, item.outcome_facts) != (told.outcome, told.facts):
            events.append(RecommendationFollowedUp(number, today, told.outcome, told.facts))
    return events


def outdated(based_on: BasedOn, advice: Advice) -> bool:
    """Tell whether a later look than this one was decided on already."""
    return any(position < advice.seen.get(name, 0) for name, (_, position) in based_on.items())


def load(history: Iterable[RecordedEvent], before: Advice | None = None) -> Advice:
    """Return the state after a whole stream, or after what followed a state `before`."""
    advice = _Draft(before or Advice())
    for recorded in history:
        advice.apply(recorded.event, recorded.recorded_at, recorded.position)
    return advice.done()


def evolve(advice: Advice, event: Event, at: dt.datetime, position: int = 0) -> Advice:
    """Return the state after one more event."""
    draft = _Draft(advice)
    draft.apply(event, at, position)
    return draft.done()


def _ids(facts: Mapping[str, Fact]) -> list[int]:
    ids = facts.get("customer_ids")
    return ids if isinstance(ids, list) else []


def _open(recommendation_id: int, advice: Advice, today: dt.date) -> Item:
    item = advice.item(recommendation_id)
    details = {"id": item.id, "closed_at": item.closed_at}
    if item.closed == "executed":
        raise AlreadyExecuted(details=details)
    if item.closed == "dismissed":
        raise AlreadyDismissed(details=details)
    if item.closed or item.expires_on < today:
        raise RecommendationOver(details={**details, "reason": item.reason or "expired"})
    return item


class _Draft:
    """A state that is being changed; whoever asks for it gets one that is not."""

    def __init__(self, advice: Advice) -> None:
        self.items, self.open = dict(advice.items), dict(advice.open)
        self.silent_until, self.seen = dict(advice.silent_until), dict(advice.seen)
        self.version, self.position = advice.version, advice.position

    def done(self) -> Advice:
        return Advice(self.items, self.open, self.silent_until, self.seen, self.version, self.position)

    def apply(self, event: Event, at: dt.datetime, position: int) -> None:
        self.version, self.position = self.version + 1, position
        match event:
            case RecommendationIssued():
                body: dict[str, Any] = {name: getattr(event, name) for name in (*_BODY, "type", "subject")}
                item = Item(id=event.recommendation_id, created_at=at, **body)
                self.items[item.id] = item
                self.open[item.key] = item.id
                self._look(event.based_on)
            case RecommendationRefreshed():
                self._change(event.recommendation_id, **{name: getattr(event, name) for name in _BODY})
                self._look(event.based_on)
            case RecommendationViewed():
                seconds = self.items[event.recommendation_id].seconds + event.seconds
                first = self.items[event.recommendation_id].viewed_at or at
                self._change(event.recommendation_id, viewed_at=first, seconds=seconds)
            case RecommendationExecuted():
                done = {"action": event.action, "modified": event.modified, "follow_until": event.follow_until}
                self._close(event.recommendation_id, "executed", event.date, closed_at=at, position=position, **done)
            case RecommendationDismissed():
                self._close(event.recommendation_id, "dismissed", event.date, closed_at=at, reason=event.reason)
            case RecommendationExpired():
                self._close(event.recommendation_id, "expired", event.date, closed_at=at, reason="expired")
            case RecommendationWithdrawn():
                self._close(event.recommendation_id, "withdrawn", None, closed_at=at, reason=event.reason)
                self._look(event.based_on)
            case RecommendationFollowedUp():
                self._change(event.recommendation_id, outcome=event.outcome, outcome_facts=event.facts)

    def _change(self, number: int, **changes: Any) -> None:  # noqa: ANN401 - fields of Item
        self.items[number] = replace(self.items[number], **changes)

    def _close(self, number: int, how: str, on: dt.date | None, **changes: Any) -> None:  # noqa: ANN401 - likewise
        self._change(number, closed=how, closed_on=on, **changes)
        key = self.items[number].key
        if self.open.get(key) == number:
            del self.open[key]
        if on:
            self.silent_until[key] = on + SILENCE

    def _look(self, based_on: BasedOn) -> None:
        for name, (_, position) in based_on.items():
            self.seen[name] = max(position, self.seen.get(name, 0))


_BODY = ("urgency", "priority", "impact", "stake", "stake_basis", "facts", "expires_on", "rule")
