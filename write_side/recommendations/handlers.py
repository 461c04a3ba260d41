"""A shop's recommendations, for one command of their owner: read, decided on and added to under the shop's lock."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.domain.events.recommendations import Fact
from shared.domain.presentation.recommendations import Recommendation
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from write_side.recommendations import aggregate
from write_side.recommendations.aggregate import Advice, Item
from write_side.recommendations.state_cache import Advices, stream_of

_DHAKA = ZoneInfo("Asia/Dhaka")
_STATUS = {None: "pending", "executed": "executed"}


class Done(NamedTuple):
    """The recommendation after a command, and where the log tells of it."""

    recommendation: Recommendation
    position: int


@dataclass(frozen=True)
class Desk:
    """Where one command of one shop is decided; the same Idempotency-Key again answers as before."""

    store: EventStore
    advices: Advices
    business_id: int
    meta: Metadata
    request_hash: bytes | None

    def view(self, number: int, seconds: int) -> Done:
        """Take down that it was looked at; raises RecommendationNotFound."""
        return self._decided(number, lambda advice, _: aggregate.view(number, seconds, advice))

    def execute(self, number: int, changes: Callable[[str], Mapping[str, Fact]]) -> Done:
        """Take down that it is done, changed as `changes` says of its type.

        Raises RecommendationNotFound, AlreadyExecuted, AlreadyDismissed, RecommendationOver, and what `changes` raises.
        """

        def decide(advice: Advice, today: dt.date) -> Sequence[Event]:
            kind = advice.item(number).type
            return [aggregate.execute(number, changes(kind), advice, today)]

        return self._decided(number, decide)

    def dismiss(self, number: int, reason: str | None) -> Done:
        """Take down that it won't be done; raises RecommendationNotFound, AlreadyExecuted, RecommendationOver."""
        return self._decided(number, lambda advice, today: aggregate.dismiss(number, reason, advice, today))

    def _decided(self, number: int, decide: Callable[[Advice, dt.date], Sequence[Event]]) -> Done:
        stream = stream_of(self.business_id)

        def run(unit: UnitOfWork) -> int:
            advice = self.advices.of(self.business_id, unit)
            events = decide(advice, unit.now.astimezone(_DHAKA).date())
            unit.append(stream, advice.version, *events)
            return number

        outcome = self.store.execute(self.business_id, self.meta, run, request_hash=self.request_hash)
        # Read apart from the command, whose stored answer may hold no name of a person.
        if not outcome.replayed:
            advice = self.advices.of(self.business_id)
            return Done(shown(advice.item(number)), outcome.position or advice.position)
        history = [recorded for recorded in self.store.load(stream) if recorded.position <= (outcome.position or 0)]
        return Done(shown(aggregate.load(history).item(number)), outcome.position or 0)


def shown(item: Item) -> Recommendation:
    """Return a recommendation as its reader sees it."""
    status = _STATUS.get(item.closed, "dismissed")
    if status == "pending" and item.viewed_at:
        status = "viewed"
    return Recommendation(
        item.id,
        item.type,
        item.urgency,
        item.priority,
        item.impact,
        item.stake,
        item.stake_basis,
        item.facts,
        item.action or item.facts,
        item.expires_on,
        item.created_at,
        status,
        item.rule,
        item.reason,
        item.viewed_at,
        item.seconds,
        item.closed_at if item.closed == "executed" else None,
        item.modified,
        item.outcome,
        item.outcome_facts,
    )
