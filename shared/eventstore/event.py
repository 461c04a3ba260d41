"""Base classes of events and of the lines within them."""

from typing import ClassVar

import msgspec


class Event(msgspec.Struct, frozen=True):
    """A recorded fact. Subclasses set `topic`, e.g. `sales.UploadAccepted`; renaming the class leaves the log valid.

    A changed form raises `class_version` and adds a static `upcast_v1_v2(state: dict) -> dict` for each step.
    """

    topic: ClassVar[str] = ""
    class_version: ClassVar[int] = 1


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A line within an event, written as a JSON array."""
