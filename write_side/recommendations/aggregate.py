"""Aggregate of a shop's recommendations: what owners do about them; reviews are decided in review.py.

At most one recommendation is open per type and subject. After an answer or an expiry the subject is muted for a week.
A recommendation is withdrawn as soon as its reason no longer holds. `decide` takes the command, the state and the day.
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
    ActionNotModifiable,
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
from shared.texts import Phrase

MUTED = dt.timedelta(7)
MAX_SECONDS = 86_400
# The facts that an owner may change, by type.
MODIFIABLE: Mapping[str, Sequence[str]] = {
    "reorder": ("recommended_qty", "reorder_by"),
    "retention": ("customer_ids",),
    "price_optimization": ("suggested_price",),
    "cash_warning": (),
}


@dataclass(frozen=True)
class Item:
    """A recommendation; `closed`: `executed`, `dismissed`, `expired`, `withdrawn` or None."""

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
        """Return type and subject."""
        return self.type, self.subject


@dataclass(frozen=True)
class Advice:
    """The recommendations of a shop: all of them, the open ones by key, and until when keys are muted.

    `seen` is the newest position of each read model that an event was based on; `position` that of the last event.
    """

    items: Mapping[int, Item] = field(default_factory=lambda: MappingProxyType({}))
    open: Mapping[Key, int] = field(default_factory=lambda: MappingProxyType({}))
    muted_until: Mapping[Key, dt.date] = field(default_factory=lambda: MappingProxyType({}))
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
        """Return the executed ones whose outcome is still observed, or was never recorded."""
        return [
            Executed(item.id, item.type, item.closed_on, item.position, item.follow_until, item.action)
            for item in self.items.values()
            if item.closed_on and item.follow_until and (item.outcome is None or today <= item.follow_until)
        ]


@dataclass(frozen=True)
class ViewRecommendation:
    """The owner looked at a recommendation for some seconds."""

    recommendation_id: int
    seconds: int


@dataclass(frozen=True)
class ExecuteRecommendation:
    """The owner does what is recommended, with some facts changed."""

    recommendation_id: int
    changes: Mapping[str, Fact] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class DismissRecommendation:
    """The owner will not do what is recommended."""

    recommendation_id: int
    reason: str | None = None


Command = ViewRecommendation | ExecuteRecommendation | DismissRecommendation


def decide(command: Command, advice: Advice, today: dt.date) -> Sequence[Event]:
    """Return the events of a command; none if it changes nothing.

    Raises RecommendationNotFound, AlreadyExecuted, AlreadyDismissed, RecommendationOver, ActionNotModifiable for a fact
    that cannot be changed, and InvalidRequest for customers that the recommendation does not name.
    """
    match command:
        case ViewRecommendation():
            return _view(command, advice)
        case ExecuteRecommendation():
            return _execute(command, advice, today)
        case DismissRecommendation():
            return _dismiss(command, advice, today)


def _view(command: ViewRecommendation, advice: Advice) -> list[Event]:
    """Return the view; the seconds of all views add up to a day at most."""
    item = advice.item(command.recommendation_id)
    counted = min(command.seconds, MAX_SECONDS - item.seconds)
    return [RecommendationViewed(item.id, counted)] if counted or item.viewed_at is None else []


def _execute(command: ExecuteRecommendation, advice: Advice, today: dt.date) -> list[Event]:
    _require_modifiable(command.changes, advice.item(command.recommendation_id).type)
    item = _open(command.recommendation_id, advice, today)
    named = _ids(item.facts)
    if not set(_ids(command.changes)) <= set(named):
        raise InvalidRequest(details={"field": "modified_action.customer_ids", "expected": named})
    action = {**item.facts, **command.changes}
    modified = sorted(name for name, value in command.changes.items() if item.facts.get(name) != value)
    return [RecommendationExecuted(item.id, today, action, watched_until(item.type, item.facts, today), modified)]


def _dismiss(command: DismissRecommendation, advice: Advice, today: dt.date) -> list[Event]:
    if advice.item(command.recommendation_id).closed == "dismissed":
        return []
    item = _open(command.recommendation_id, advice, today)
    return [RecommendationDismissed(item.id, today, command.reason)]


def follow_up(outcomes: Mapping[int, Outcome], advice: Advice, today: dt.date) -> list[RecommendationFollowedUp]:
    """Return the outcomes of executed recommendations that are not recorded yet."""
    events = []
    for number, found in sorted(outcomes.items()):
        item = advice.item(number)
        if item.closed == "executed" and (item.outcome, item.outcome_facts) != (found.outcome, found.facts):
            events.append(RecommendationFollowedUp(number, today, found.outcome, found.facts))
    return events


def outdated(based_on: BasedOn, advice: Advice) -> bool:
    """Return whether a review of newer read models was decided already."""
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


def _require_modifiable(changes: Mapping[str, Fact], kind: str) -> None:
    foreign = [name for name in changes if name not in MODIFIABLE[kind]]
    if foreign:
        name = f"modified_action.{_PUBLIC_NAMES.get(foreign[0], foreign[0])}"
        problem = Phrase("FIELD_UNKNOWN")
        fields = [{"field": name, "in": "body", "code": "extra_forbidden", "message": problem}]
        raise ActionNotModifiable(details={"fields": fields}, fields=name, field=name, problem=problem)


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
    """A mutable state while events are applied; `done` returns an immutable one."""

    def __init__(self, advice: Advice) -> None:
        self.items, self.open = dict(advice.items), dict(advice.open)
        self.muted_until, self.seen = dict(advice.muted_until), dict(advice.seen)
        self.version, self.position = advice.version, advice.position

    def done(self) -> Advice:
        return Advice(self.items, self.open, self.muted_until, self.seen, self.version, self.position)

    def apply(self, event: Event, at: dt.datetime, position: int) -> None:
        self.version, self.position = self.version + 1, position
        match event:
            case RecommendationIssued():
                body: dict[str, Any] = {name: getattr(event, name) for name in (*_BODY, "type", "subject")}
                item = Item(id=event.recommendation_id, created_at=at, **body)
                self.items[item.id] = item
                self.open[item.key] = item.id
                self._record_positions(event.based_on)
            case RecommendationRefreshed():
                self._change(event.recommendation_id, **{name: getattr(event, name) for name in _BODY})
                self._record_positions(event.based_on)
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
                self._record_positions(event.based_on)
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
            self.muted_until[key] = on + MUTED

    def _record_positions(self, based_on: BasedOn) -> None:
        for name, (_, position) in based_on.items():
            self.seen[name] = max(position, self.seen.get(name, 0))


_PUBLIC_NAMES = {"reorder_by": "reorder_by_date"}
_BODY = ("urgency", "priority", "impact", "stake", "stake_basis", "facts", "expires_on", "rule")
