"""Starts furnishing of demo shops, and makes retried jobs due again."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.domain.events.demo import DemoShopFurnished, DemoShopOpened
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from shared.eventstore.system_events import JobRetried
from shared.jobs.job import NewJob, Outcome

FURNISH_DEMO = "furnish_demo"


def when_demo_shop_opened(recorded: RecordedEvent, event: DemoShopOpened) -> list[NewJob | Outcome]:
    """A worker records stock and cash of a demo shop once its sales are imported."""
    return [NewJob(FURNISH_DEMO, str(event.business_id), event.business_id, recorded.position, {})]


def when_demo_shop_furnished(_: RecordedEvent, event: DemoShopFurnished) -> list[NewJob | Outcome]:
    """A furnished demo shop closes the job."""
    return [Outcome(FURNISH_DEMO, str(event.business_id), "done")]


def when_job_retried(_: RecordedEvent, event: JobRetried) -> list[NewJob | Outcome]:
    """A retried job is due again."""
    return [Outcome(event.kind, event.subject, "pending")]


POLICIES: Mapping[type[Event], Callable[[RecordedEvent, Any], list[NewJob | Outcome]]] = {
    DemoShopOpened: when_demo_shop_opened,
    DemoShopFurnished: when_demo_shop_furnished,
    JobRetried: when_job_retried,
}
