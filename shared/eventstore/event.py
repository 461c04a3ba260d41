"""Base classes of events and of the lines within them."""

from typing import ClassVar, NamedTuple

import msgspec


class AuditAction(NamedTuple):
    """How the audit shows an event: the action, the kind of resource, and the event's field with the resource's id.

    `by_system`: the event is audited although no person caused it.
    """

    name: str
    resource: str
    id_field: str
    status: str = "success"
    by_system: bool = False


class Dated(NamedTuple):
    """The business date of an event: books of a day do not have what is dated later (`projections/engine/books.py`).

    `field` has the date, of the event or of each of its `lines`; None is the day on which it was recorded. A date that
    is null is none. Where `clears` names fields, these are emptied and the rest is kept. `subjects` are the fields with
    the ids of what it is about, which belongs to the books from its first entry on.
    """

    field: str | None = "date"
    lines: str | None = None
    subjects: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()


class About(NamedTuple):
    """What an event says of a subject, or of one per line, belongs to the books as soon as the subject does.

    `subject` is what `Dated.subjects` calls it, and the field with its id unless `field` names another one. `same` is a
    field with ids that mean the same subject.
    """

    subject: str
    field: str | None = None
    lines: str | None = None
    same: str | None = None

    @property
    def id_field(self) -> str:
        """Return the field with the id."""
        return self.field or self.subject


class Event(msgspec.Struct, frozen=True):
    """A recorded fact. Subclasses set `topic`, e.g. `sales.UploadAccepted`; renaming the class leaves the log valid.

    A changed form raises `class_version` and adds a static `upcast_v1_v2(state: dict) -> dict` for each step. Where
    it only gained fields with defaults, `compatible_from` is the oldest version that today's class reads as it is.
    `audit` is the event's entry in the audit of people's actions, if it has one. `books` names the business dates of
    the event; without it the event belongs to the books of every day.
    """

    topic: ClassVar[str] = ""
    class_version: ClassVar[int] = 1
    compatible_from: ClassVar[int] = 0
    audit: ClassVar[AuditAction | None] = None
    books: ClassVar[Dated | About | None] = None


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A line within an event, written as a JSON array."""
