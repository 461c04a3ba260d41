"""What policies decide: events call for jobs, and end them."""

import uuid
from dataclasses import dataclass
from typing import Any

# Who goes first: a person who waits, what follows from something somebody did, what can wait for the night.
WAITED_FOR, FOLLOWING, NIGHTLY = 0, 1, 2
_NAMESPACE = uuid.UUID("6f0e8f7e-3c1c-5d57-9a53-0f1d6a0f2a11")


@dataclass(frozen=True)
class NewJob:
    """A job that an event calls for; one per kind and subject.

    One that is done `again` is due anew with each event that calls for it: at most one waits, for all of them.
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
        """Return the id that follows from the event's position, unless it is done `again`, the kind and the subject."""
        named = f"{self.kind}/{self.subject}"
        return uuid.uuid5(_NAMESPACE, named if self.again else f"{self.position}/{named}")


@dataclass(frozen=True)
class Outcome:
    """An event that ends a job, `state` is `done` or `failed`, or lets it begin anew, `pending`."""

    kind: str
    subject: str
    state: str
    error: str | None = None
