"""Starts planning after an import or a new day, and one job per part of a run; completion events close the jobs."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.domain.events.forecasting import DailyForecastsPlanned, ForecastRunCompleted, ForecastsRequested
from shared.domain.events.sales import UploadCompleted
from shared.domain.events.uploads import UploadUndone
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from shared.eventstore.system_events import DayCorrected, DayOpened
from shared.jobs.job import FOLLOWING, NIGHTLY, WAITED_FOR, NewJob, Outcome
from write_side.forecasting.aggregate import DAY, IMPORT, OWNER, PART_JOB, parts

PLAN, MAKE = "plan_forecasts", PART_JOB
_PRIORITIES = {OWNER: WAITED_FOR, IMPORT: FOLLOWING, DAY: NIGHTLY}


def when_upload_completed(recorded: RecordedEvent, event: UploadCompleted) -> list[NewJob | Outcome]:
    """New sales start planning."""
    if not event.created:
        return []
    subject = plan_subject(IMPORT, event.file_id)
    return [NewJob(PLAN, subject, recorded.business_id, recorded.position, {"cause": event.file_id}, FOLLOWING)]


def when_upload_undone(recorded: RecordedEvent, event: UploadUndone) -> list[NewJob | Outcome]:
    """Sales that were taken back start planning, unless others take their place, whose import does."""
    if event.replaced_by or not event.sales + event.movements:
        return []
    cause = f"{event.file_id}-undone"
    subject = plan_subject(IMPORT, cause)
    return [NewJob(PLAN, subject, recorded.business_id, recorded.position, {"cause": cause}, FOLLOWING)]


def when_day_opened(recorded: RecordedEvent, event: DayOpened) -> list[NewJob | Outcome]:
    """A new day starts planning for all shops; again, if a wrong clock had opened it before."""
    date = event.date.isoformat()
    return [NewJob(PLAN, plan_subject(DAY, date), None, recorded.position, {"cause": date}, NIGHTLY, again=True)]


def when_day_corrected(recorded: RecordedEvent, event: DayCorrected) -> list[NewJob | Outcome]:
    """The right day starts planning for all shops; that of the wrong day is over."""
    over = Outcome(PLAN, plan_subject(DAY, event.instead_of.isoformat()), "done")
    return [over, *when_day_opened(recorded, DayOpened(event.date))]


def when_forecasts_requested(recorded: RecordedEvent, event: ForecastsRequested) -> list[NewJob | Outcome]:
    """One job per part; runs of an import or a day include the shop's takings, so they have at least one part."""
    planned: list[NewJob | Outcome] = []
    if event.by == IMPORT and event.cause:
        planned.append(Outcome(PLAN, plan_subject(IMPORT, event.cause), "done"))
    if event.by == OWNER and not event.product_ids:
        return planned
    return planned + [
        NewJob(
            MAKE,
            make_subject(event.run_id, part),
            recorded.business_id,
            recorded.position,
            {"run_id": event.run_id, "part": part},
            _PRIORITIES[event.by],
        )
        for part in range(len(parts(event.product_ids)))
    ]


def when_forecast_run_completed(_: RecordedEvent, event: ForecastRunCompleted) -> list[NewJob | Outcome]:
    """A completed part closes its job."""
    return [Outcome(MAKE, make_subject(event.run_id, event.part), "done")]


def when_daily_forecasts_planned(_: RecordedEvent, event: DailyForecastsPlanned) -> list[NewJob | Outcome]:
    """Planning of the day is complete."""
    return [Outcome(PLAN, plan_subject(DAY, event.date.isoformat()), "done")]


def plan_subject(by: str, cause: str) -> str:
    """Return the subject of a planning job."""
    return f"{by}-{cause}"


def make_subject(run_id: str, part: int) -> str:
    """Return the subject of the job of one part."""
    return f"{run_id}-{part}"


POLICIES: Mapping[type[Event], Callable[[RecordedEvent, Any], list[NewJob | Outcome]]] = {
    UploadCompleted: when_upload_completed,
    UploadUndone: when_upload_undone,
    DayOpened: when_day_opened,
    DayCorrected: when_day_corrected,
    ForecastsRequested: when_forecasts_requested,
    ForecastRunCompleted: when_forecast_run_completed,
    DailyForecastsPlanned: when_daily_forecasts_planned,
}
