"""The streams of recommendations as they were read last: of a long one only what is new is read again."""

from collections import OrderedDict

from shared.eventstore.store import EventStore, UnitOfWork
from write_side.recommendations import aggregate
from write_side.recommendations.aggregate import Advice

_MOST = 64


def stream_of(business_id: int) -> str:
    """Return the name of the stream that holds all recommendations of a shop."""
    return f"recommendations-{business_id}"


class Advices:
    """Keeps the states of the shops asked for last. Threads may share it: what one keeps is true, if not the newest."""

    def __init__(self, store: EventStore) -> None:
        """Read from `store`."""
        self._store = store
        self._kept: OrderedDict[int, Advice] = OrderedDict()

    def of(self, business_id: int, unit: UnitOfWork | None = None) -> Advice:
        """Return what a shop's stream says now, read within `unit` where one is given."""
        kept = self._kept.get(business_id, Advice())
        source = self._store if unit is None else unit
        advice = aggregate.load(source.load(stream_of(business_id), kept.version), kept)
        self._kept.pop(business_id, None)  # another thread may have just let go of it
        self._kept[business_id] = advice
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return advice
