"""What a domain contributes to the write-side indexes and counters, which are derivable from the log."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event

EVERY_KIND = ""


class IndexRow(NamedTuple):
    """A claimed key of a kind and its value, in the scope of a business, 0 for all businesses.

    Not `held`: the key was released; only later claims of it hold. EVERY_KIND releases all keys of the scope.
    """

    kind: str
    scope: int
    key: bytes
    value: int
    held: bool = True


class NumberedEvent(NamedTuple):
    """An event that uses up a public id: the counter, the id, and whether the counter is one of all businesses."""

    counter: str
    public_id: Callable[[Any], int]
    everywhere: bool = False


Rows = Mapping[type[Event], Callable[[RecordedEvent, Any], Iterator[IndexRow]]]


@dataclass(frozen=True)
class DomainIndex:
    """The index rows of a domain's events.

    counters: kind -> the counter that its values are public ids of; `uncounted`: the other kinds. numbered: events
    without a row that use up a public id.
    """

    rows: Rows = field(default_factory=lambda: MappingProxyType({}))
    counters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    uncounted: Sequence[str] = ()
    numbered: Mapping[type[Event], NumberedEvent] = field(default_factory=lambda: MappingProxyType({}))
