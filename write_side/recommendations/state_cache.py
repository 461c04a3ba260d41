"""The stream of a shop's recommendations, folded incrementally: of a long stream only new events are read."""

import datetime as dt
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.eventstore.command import Loaded, Stream
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, UnitOfWork
from write_side.recommendations import aggregate
from write_side.recommendations.aggregate import Advice

_SHOPS = 64
_NOT_RECORDED = dt.datetime.max.replace(tzinfo=dt.UTC)


def _evolve(advice: Advice, event: Event) -> Advice:
    return aggregate.evolve(advice, event, _NOT_RECORDED)


@dataclass(frozen=True)
class AdviceStream(Stream[Advice]):
    """Keeps the states of the shops used last. Threads may share it: a kept state is correct, if not the newest."""

    category: str = "recommendations"
    initial: Advice = field(default_factory=Advice)
    evolve: Callable[[Advice, Event], Advice] = _evolve
    kept: "OrderedDict[int, Advice]" = field(default_factory=OrderedDict, compare=False)

    def load(self, unit: UnitOfWork) -> Loaded[Advice]:
        """Return the state as the unit of work reads it."""
        advice = self._after_kept(unit, unit.business_id or 0)
        return Loaded(self.name(unit.business_id), advice, advice.version, advice.position)

    def append(self, unit: UnitOfWork, loaded: Loaded[Advice], events: Sequence[Event]) -> Loaded[Advice]:
        """Append events; the returned state is that before them, since they have no time and position yet."""
        unit.append(loaded.name, loaded.version, *events)
        return loaded

    def current(self, store: EventStore, business_id: int | None) -> Advice:
        """Return the state now."""
        return self._after_kept(store, business_id or 0)

    def as_of(self, store: EventStore, business_id: int, position: int) -> Advice:
        """Return the state as of a position."""
        history = [recorded for recorded in store.load(self.name(business_id)) if recorded.position <= position]
        return aggregate.load(history)

    def _after_kept(self, source: EventStore | UnitOfWork, business_id: int) -> Advice:
        kept = self.kept.get(business_id, Advice())
        advice = aggregate.load(source.load(self.name(business_id), kept.version), kept)
        self.kept.pop(business_id, None)  # another thread may have just removed it
        self.kept[business_id] = advice
        if len(self.kept) > _SHOPS:
            self.kept.popitem(last=False)
        return advice
