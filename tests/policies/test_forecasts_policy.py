import datetime as dt

import pytest

from shared.domain.events.forecasting import DailyForecastsPlanned, ForecastRunCompleted, ForecastsRequested
from shared.domain.events.sales import UploadCompleted
from shared.eventstore.codec import RecordedEvent, encode
from shared.eventstore.event import Event
from shared.eventstore.system_events import DayOpened
from shared.jobs.job import FOLLOWING, NIGHTLY, WAITED_FOR, NewJob, Outcome
from write_side.forecasting.aggregate import PART
from write_side.forecasting.policy import MAKE, PLAN
from write_side.policies import _decisions

FILE = "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11"
DAY = dt.date(2025, 11, 3)


def decided(event: Event, business: int | None = 7) -> list[NewJob | Outcome]:
    """Return what an event calls for, of forecasts."""
    at = dt.datetime(2025, 11, 3, tzinfo=dt.UTC)
    decisions = _decisions(RecordedEvent(9, "s", 1, event.topic, business, at, {}, encode(event)))
    return [d for d in decisions or () if d.kind in {PLAN, MAKE}]


def requested(by: str, *products: int, cause: str | None = None) -> ForecastsRequested:
    return ForecastsRequested("run", by, 7, DAY, list(products), cause=cause)


def test_a_ledger_with_new_sales_calls_for_a_plan() -> None:
    assert decided(UploadCompleted(FILE, 5, 4, 1, 0)) == [
        NewJob(PLAN, f"import-{FILE}", 7, 9, {"cause": FILE}, FOLLOWING)
    ]
    assert decided(UploadCompleted(FILE, 5, 0, 5, 0)) == []


def test_a_day_calls_for_one_plan_and_its_end_closes_it() -> None:
    (job,) = decided(DayOpened(DAY), None)
    assert isinstance(job, NewJob)
    assert (job.kind, job.subject, job.priority) == (PLAN, "day-2025-11-03", NIGHTLY)
    assert decided(DailyForecastsPlanned(DAY, 3), None) == [Outcome(PLAN, "day-2025-11-03", "done")]


@pytest.mark.parametrize(("by", "priority"), [("owner", WAITED_FOR), ("import", FOLLOWING), ("day", NIGHTLY)])
def test_each_part_of_a_run_is_a_job_and_who_waits_goes_first(by: str, priority: int) -> None:
    jobs = [d for d in decided(requested(by, *range(PART + 1))) if isinstance(d, NewJob)]
    assert [(job.subject, job.payload["part"], job.priority) for job in jobs] == [
        ("run-0", 0, priority),
        ("run-1", 1, priority),
    ]
    assert decided(ForecastRunCompleted("run", 1, 2, 7, [], [], [])) == [Outcome(MAKE, "run-1", "done")]


def test_a_plan_completes_and_forecasts_takings_without_products() -> None:
    done, make = decided(requested("import", cause=FILE))
    assert done == Outcome(PLAN, f"import-{FILE}", "done")
    assert isinstance(make, NewJob)
    assert decided(requested("owner")) == []
