"""The path of every command: load a stream, decide, append, answer.

A command handler is a function of a `CommandContext`. It names a `Stream`, a pure function that decides which events to
append, and the answer to store: `ctx.transact(CASH, lambda cash, unit: decide(command, cash, unit.now), settings_of)`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, Self, TypeVar, cast

from shared.eventstore.event import Event
from shared.eventstore.reader import recorded_of
from shared.eventstore.store import ALLOT, EventStore, Metadata, UnitOfWork

S = TypeVar("S")
R = TypeVar("R")
T = TypeVar("T")

# Select version and position of the last event of a stream.
SELECT_END = """SELECT originator_version AS version, notification_id AS position FROM log.events
    WHERE originator_id = %s ORDER BY originator_version DESC LIMIT 1"""
# Select the events of a stream that have one of these topics and, unless it is empty, contain this JSON text.
SELECT_PART = """SELECT notification_id, originator_id, originator_version, topic, business_id, recorded_at,
        meta, state
    FROM log.events WHERE originator_id = %s AND topic = ANY(%s) AND position(%b::bytea IN state) > 0
    ORDER BY originator_version"""


class End(NamedTuple):
    """Version and position of a stream's last event, 0 for an empty stream."""

    version: int
    position: int


class Result(NamedTuple, Generic[R]):
    """The answer of a command.

    `position` is that of the command's last event or, if it changed nothing, the last one of the stream it read; None
    for an empty stream. `replayed`: the answer was stored by an earlier command with the same id. `changed`: the
    command, now or earlier, appended events.
    """

    data: R
    position: int | None
    replayed: bool = False
    changed: bool = True

    def map(self, convert: Callable[[R], T]) -> "Result[T]":
        """Return the result with other data."""
        return Result(convert(self.data), self.position, self.replayed, self.changed)


class Loaded(NamedTuple, Generic[S]):
    """A stream as a unit of work read it: its name, the folded state, version and position of its last event."""

    name: str
    state: S
    version: int = 0
    position: int = 0


class Part(NamedTuple):
    """The events of a stream that a command depends on: of these classes, with this value of a field if one is named.

    The field is an id that every version of the classes stores under this name.
    """

    events: tuple[type[Event], ...]
    field: str | None = None
    value: int | None = None

    @property
    def text(self) -> bytes:
        """Return the beginning of the field as the log stores it: `"expense_id":4`, also that of 41."""
        return b"" if self.field is None else f'"{self.field}":{self.value}'.encode()

    def includes(self, event: Event) -> bool:
        """Return whether an event that contains `text` has the value."""
        return self.field is None or getattr(event, self.field) == self.value


@dataclass(frozen=True)
class Stream(Generic[S]):
    """One stream per aggregate: `{category}-{business_id}-{ids}`; not `per_business`: `{category}-{ids}`.

    Subclasses override `load` where the state depends on more than the events of the stream, such as sealed data.
    """

    category: str
    initial: S
    evolve: Callable[[S, Event], S]
    ids: tuple[int | str, ...] = ()
    per_business: bool = True
    folded: bool = True
    part: Part | None = None

    def of(self, *ids: int | str) -> Self:
        """Return the stream of the aggregate with these ids."""
        return replace(self, ids=ids)

    def unfolded(self) -> Self:
        """Return the same stream for commands that decide without its state: only the version is read.

        Appending to a stream of thousands of events then costs as much as to a short one. `decide` gets the initial
        state, `answer` the initial state evolved by the new events.
        """
        return replace(self, folded=False)

    def only(self, *events: type[Event], **field: int) -> Self:
        """Return the same stream for commands that depend on a part of its events, such as those of one expense.

        `CASH.only(ExpenseRecorded, ExpenseEnded, expense_id=4)`: the events of these classes, with this id. The others
        are neither sent nor decoded, so a long stream costs little more than a short one.
        """
        ((name, value),) = field.items() or ((None, None),)
        return replace(self, part=Part(events, name, value))

    def name(self, business_id: int | None) -> str:
        """Return the name of the stream."""
        scope = (business_id or 0,) if self.per_business else ()
        return "-".join([self.category, *map(str, (*scope, *self.ids))])

    def load(self, unit: UnitOfWork) -> Loaded[S]:
        """Return the state after every event of the stream, or of the part of it that was chosen."""
        name = self.name(unit.business_id)
        if not self.folded:
            return Loaded(name, self.initial, *end_of(unit, name))
        if self.part:
            return self._load_part(unit, name, self.part)
        state, version, position = self.initial, 0, 0
        for recorded in unit.load(name):
            state, version, position = self.evolve(state, recorded.event), recorded.version, recorded.position
        return Loaded(name, state, version, position)

    def current(self, store: EventStore, business_id: int | None) -> S:
        """Return the state after every event of the stream now, outside a transaction."""
        state = self.initial
        for recorded in store.load(self.name(business_id)):
            state = self.evolve(state, recorded.event)
        return state

    def _load_part(self, unit: UnitOfWork, name: str, part: Part) -> Loaded[S]:
        state = self.initial
        for row in unit.sql(SELECT_PART, (name, [cls.topic for cls in part.events], part.text)):
            event = recorded_of(row).event
            if part.includes(event):
                state = self.evolve(state, event)
        return Loaded(name, state, *end_of(unit, name))

    def append(self, unit: UnitOfWork, loaded: Loaded[S], events: Sequence[Event]) -> Loaded[S]:
        """Append events to what was loaded; returns the state after them, at the position of the last recorded one."""
        unit.append(loaded.name, loaded.version, *events)
        state = loaded.state
        for event in events:
            state = self.evolve(state, event)
        return loaded._replace(state=state, version=loaded.version + len(events))


@dataclass(frozen=True)
class CommandContext:
    """One command of one business, None for the whole installation.

    `request_hash` distinguishes a repeated request from another one under the same command id.
    """

    store: EventStore
    business_id: int | None
    meta: Metadata
    request_hash: bytes | None = None

    def of_business(self, business_id: int | None) -> "CommandContext":
        """Return the context of the same command on another business."""
        return replace(self, business_id=business_id)

    def new_id(self, kind: str) -> int:
        """Return a new public id of this kind; the id of a command that fails is a gap."""
        return self.store.allot(self.business_id, kind)

    def execute(self, decide: Callable[[UnitOfWork], R]) -> Result[R]:
        """Run `decide` in one transaction with what it appends; its JSON-able answer is stored.

        A repeated command id answers with the stored answer. Conflicts run `decide` again, so it must have no other
        effects. Raises IdempotencyKeyReused, and the refusals of `decide`.
        """
        data, position, replayed = self.store.execute(
            self.business_id, self.meta, decide, request_hash=self.request_hash
        )
        return Result(data, position, replayed, changed=position is not None)

    def transact(
        self,
        stream: Stream[S],
        decide: Callable[[S, UnitOfWork], Sequence[Event]],
        answer: Callable[[S], R],
    ) -> Result[R]:
        """Append what `decide` returns for the state of `stream`; `answer` of the state after it is stored.

        Raises as `execute` does.
        """
        last_read = 0

        def run(unit: UnitOfWork) -> R:
            nonlocal last_read
            loaded = stream.load(unit)
            last_read = loaded.position
            return answer(stream.append(unit, loaded, decide(loaded.state, unit)).state)

        result = self.execute(run)
        return result if result.changed else result._replace(position=last_read or None)

    def query(self, read: Callable[[UnitOfWork], R]) -> R:
        """Return what `read` finds in the log, such as personal data that a stored answer must not contain."""
        return self.store.execute(self.business_id, Metadata(), read).result


def end_of(unit: UnitOfWork, name: str) -> End:
    """Return version and position of the last event of a stream, 0 for an empty one."""
    rows = unit.sql(SELECT_END, (name,))
    return End(rows[0]["version"], rows[0]["position"]) if rows else End(0, 0)


def allot(unit: UnitOfWork, kind: str, count: int = 1) -> int:
    """Return the first of `count` new public ids, within the unit's transaction: no second connection is needed."""
    wanted = {"scope": unit.business_id or 0, "kind": kind, "count": count}
    return int(unit.sql(ALLOT, cast("Any", wanted))[0]["first"])
