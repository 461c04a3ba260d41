"""The form of every event: a frozen struct with a topic that outlives its class's name."""

from typing import ClassVar

import msgspec


class Event(msgspec.Struct, frozen=True):
    """A fact that was recorded. Subclasses set `topic`, e.g. `sales.UploadAccepted`.

    A changed form raises `class_version` and adds a static `upcast_v1_v2(state: dict) -> dict` for each step. Where the
    form only gained fields with defaults, `compatible_from` is the oldest version that today's class reads as it is.
    """

    topic: ClassVar[str] = ""
    class_version: ClassVar[int] = 1
    compatible_from: ClassVar[int] = 0


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A line within an event, written as a JSON array."""
