"""Starts a review of a shop's recommendations when its data changes, and of all shops every morning."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.domain.events.cashflow import (
    CashSettingsChanged,
    CollectionRecorded,
    CollectionVoided,
    ExpenseEnded,
    ExpenseRecorded,
    ExpenseVoided,
    OpeningDebtRecorded,
    OpeningDebtVoided,
)
from shared.domain.events.customers import CustomersMerged
from shared.domain.events.forecasting import ForecastRunCompleted
from shared.domain.events.inventory import ProductDetailsChanged, StockEntryVoided, StockMoved
from shared.domain.events.sales import SaleRecorded, SaleVoided, UploadCompleted
from shared.domain.events.uploads import UploadUndone
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from shared.eventstore.system_events import DayCorrected, DayOpened, RuleActivated
from shared.jobs.job import NIGHTLY, WAITED_FOR, NewJob, Outcome
from shared.runtime.business_day import date_of

REVIEW = "review_recommendations"
REVIEW_DAY = "review_day"


def when_signals_changed(recorded: RecordedEvent, _: Event) -> list[NewJob | Outcome]:
    """At most one review per shop is pending; it covers all changes up to its start."""
    return [review_of(recorded.business_id, recorded.position)]


def when_upload_completed(recorded: RecordedEvent, event: UploadCompleted) -> list[NewJob | Outcome]:
    """A completed upload with rows starts a review."""
    return when_signals_changed(recorded, event) if event.rows else []


def when_day_opened(recorded: RecordedEvent, event: DayOpened) -> list[NewJob | Outcome]:
    """A new day starts a review of every active shop, in the morning; again, if a wrong clock had opened it before."""
    return [NewJob(REVIEW_DAY, str(event.date), None, recorded.position, {}, NIGHTLY, again=True)]


def when_day_corrected(recorded: RecordedEvent, event: DayCorrected) -> list[NewJob | Outcome]:
    """The right day starts a review of every active shop; that of the wrong day is over."""
    over = Outcome(REVIEW_DAY, str(event.instead_of), "done")
    return [over, *when_day_opened(recorded, DayOpened(event.date))]


def when_rule_activated(recorded: RecordedEvent, _: RuleActivated) -> list[NewJob | Outcome]:
    """Changed rules start a review of every active shop."""
    day = date_of(recorded.recorded_at)
    return [NewJob(REVIEW_DAY, str(day), None, recorded.position, {}, NIGHTLY, again=True)]


def review_of(business_id: int | None, position: int, priority: int = WAITED_FOR) -> NewJob:
    """Return the job that reviews a shop once its read models include a position.

    It takes milliseconds and its result is expected right after a change, so it is leased before forecasts.
    """
    return NewJob(REVIEW, str(business_id), business_id, position, {}, priority, again=True)


POLICIES: Mapping[type[Event], Callable[[RecordedEvent, Any], list[NewJob | Outcome]]] = {
    **dict.fromkeys(
        (
            SaleRecorded,
            SaleVoided,
            UploadUndone,
            StockMoved,
            StockEntryVoided,
            ProductDetailsChanged,
            CashSettingsChanged,
            ExpenseRecorded,
            ExpenseEnded,
            ExpenseVoided,
            CollectionRecorded,
            CollectionVoided,
            OpeningDebtRecorded,
            OpeningDebtVoided,
            CustomersMerged,
            ForecastRunCompleted,
        ),
        when_signals_changed,
    ),
    UploadCompleted: when_upload_completed,
    DayOpened: when_day_opened,
    DayCorrected: when_day_corrected,
    RuleActivated: when_rule_activated,
}
