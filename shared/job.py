"""What policies decide: events call for jobs, and end them."""

import uuid
from dataclasses import dataclass
from typing import Any

_NAMESPACE = uuid.UUID("6f0e8f7e-3c1c-5d57-9a53-0f1d6a0f2a11")


@dataclass(frozen=True)
class NewJob:
    """A job that an event calls for; one per kind and subject."""

    kind: str
    subject: str
    business_id: int | None
    position: int
    payload: dict[str, Any]

    @property
    def id(self) -> uuid.UUID:
        """Return the id that follows from the event's position, the kind and the subject."""
        return uuid.uuid5(_NAMESPACE, f"{self.position}/{self.kind}/{self.subject}")


@dataclass(frozen=True)
class Outcome:
    """An event that ends a job, `state` is `done` or `failed`, or lets it begin anew, `pending`."""

    kind: str
    subject: str
    state: str
    error: str | None = None
