"""Closes the jobs of an erased shop."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from shared.eventstore.system_events import BusinessErased
from shared.jobs.job import AllDone, NewJob, Outcome


def when_business_erased(_: RecordedEvent, event: BusinessErased) -> list[NewJob | Outcome]:
    """All jobs of an erased shop are closed: those that were called for before are in the table by now."""
    return [AllDone(business_id=event.business_id)]


POLICIES: Mapping[type[Event], Callable[[RecordedEvent, Any], list[NewJob | Outcome]]] = {
    BusinessErased: when_business_erased,
}
