"""What policies decide: which jobs an event starts and which it ends."""

import uuid
from dataclasses import dataclass
from typing import Any

# Priorities: a person waits for the result; it follows from what a person did; it can be done at night.
WAITED_FOR, FOLLOWING, NIGHTLY = 0, 1, 2
_NAMESPACE = uuid.UUID("6f0e8f7e-3c1c-5d57-9a53-0f1d6a0f2a11")


@dataclass(frozen=True)
class NewJob:
    """A job that an event calls for; there is one per kind and subject.

    A job with `again` becomes due again with every event that calls for it; at most one is due, for all of them.
    """

    kind: str
    subject: str
    business_id: int | None
    position: int
    payload: dict[str, Any]
    priority: int = WAITED_FOR
    again: bool = False

    @property
    def id(self) -> uuid.UUID:
        """Return the id, derived from kind, subject and (unless it runs `again`) the position of the event."""
        named = f"{self.kind}/{self.subject}"
        return uuid.uuid5(_NAMESPACE, named if self.again else f"{self.position}/{named}")


@dataclass(frozen=True)
class Outcome:
    """An event closes a job (`state` is `done` or `failed`) or makes it due again (`pending`)."""

    kind: str
    subject: str
    state: str
    error: str | None = None


@dataclass(frozen=True)
class AllDone(Outcome):
    """An event closes every job of a business, whatever its kind and subject."""

    kind: str = ""
    subject: str = ""
    state: str = "done"
    business_id: int = 0
