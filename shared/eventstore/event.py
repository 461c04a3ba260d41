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


class Event(msgspec.Struct, frozen=True):
    """A recorded fact. Subclasses set `topic`, e.g. `sales.UploadAccepted`; renaming the class leaves the log valid.

    A changed form raises `class_version` and adds a static `upcast_v1_v2(state: dict) -> dict` for each step. Where
    it only gained fields with defaults, `compatible_from` is the oldest version that today's class reads as it is.
    `audit` is the event's entry in the audit of people's actions, if it has one.
    """

    topic: ClassVar[str] = ""
    class_version: ClassVar[int] = 1
    compatible_from: ClassVar[int] = 0
    audit: ClassVar[AuditAction | None] = None


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A line within an event, written as a JSON array."""
