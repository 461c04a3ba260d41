"""What changes a shop's signals calls for a review of its recommendations; so does every day, early in the morning."""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.events.cashflow import CashSettingsChanged, CollectionRecorded, ExpenseEnded, ExpenseRecorded
from shared.domain.events.customers import CustomersMerged
from shared.domain.events.forecasting import ForecastRunCompleted
from shared.domain.events.inventory import ProductDetailsChanged, StockMoved
from shared.domain.events.sales import SaleRecorded, SaleVoided, UploadCompleted
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from shared.eventstore.system_events import DayOpened, RuleActivated
from shared.jobs.job import NIGHTLY, WAITED_FOR, NewJob, Outcome

REVIEW = "review_recommendations"
REVIEW_DAY = "review_day"
_DHAKA = ZoneInfo("Asia/Dhaka")


def when_signals_changed(recorded: RecordedEvent, _: Event) -> list[NewJob | Outcome]:
    """At most one review of a shop waits, for all that has changed until it is done."""
    return [review_of(recorded.business_id, recorded.position)]


def when_upload_completed(recorded: RecordedEvent, event: UploadCompleted) -> list[NewJob | Outcome]:
    """A ledger that was read changes the signals, unless it was empty."""
    return when_signals_changed(recorded, event) if event.rows else []


def when_day_opened(recorded: RecordedEvent, event: DayOpened) -> list[NewJob | Outcome]:
    """A day calls for a review of every active shop, in its morning."""
    return [NewJob(REVIEW_DAY, str(event.date), None, recorded.position, {}, NIGHTLY)]


def when_rule_activated(recorded: RecordedEvent, _: RuleActivated) -> list[NewJob | Outcome]:
    """Other rules say something else of every shop."""
    day = recorded.recorded_at.astimezone(_DHAKA).date()
    return [NewJob(REVIEW_DAY, str(day), None, recorded.position, {}, NIGHTLY, again=True)]


def review_of(business_id: int | None, position: int, priority: int = WAITED_FOR) -> NewJob:
    """Return the job of reviewing a shop once its read models have come to a position.

    It takes milliseconds, and what it finds is looked for by who just changed something: it goes before forecasts.
    """
    return NewJob(REVIEW, str(business_id), business_id, position, {}, priority, again=True)


POLICIES: Mapping[type[Event], Callable[[RecordedEvent, Any], list[NewJob | Outcome]]] = {
    **dict.fromkeys(
        (
            SaleRecorded,
            SaleVoided,
            StockMoved,
            ProductDetailsChanged,
            CashSettingsChanged,
            ExpenseRecorded,
            ExpenseEnded,
            CollectionRecorded,
            CustomersMerged,
            ForecastRunCompleted,
        ),
        when_signals_changed,
    ),
    UploadCompleted: when_upload_completed,
    DayOpened: when_day_opened,
    RuleActivated: when_rule_activated,
}
