"""When recommendations are reviewed: at most one review of a shop waits, in the morning every active shop has one."""

import datetime as dt
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.events.cashflow import CashSettingsChanged
from shared.domain.events.sales import UploadCompleted
from shared.eventstore.reader import LogReader
from shared.eventstore.store import EventStore
from shared.eventstore.system_events import DayOpened, RuleActivated
from shared.jobs import queue
from shared.jobs.job import NIGHTLY, NewJob
from shared.jobs.queue import Retry
from shared.postgres.database import WRITER
from tests.support.accepted_ledgers import Held
from tests.support.jobs import append, claimed, record
from tests.support.log_facts import connected, rows
from tests.support.shop_events import completed
from write_side.recommendations import worker
from write_side.recommendations.policy import POLICIES, REVIEW, REVIEW_DAY, review_of
from write_side.recommendations.worker import DayReviewer

SHOP = 7
POOR = CashSettingsChanged(1_000, dt.date(2025, 1, 1), 2_000_000)
JOBS = "SELECT kind, subject, position, state, priority FROM jobs.jobs ORDER BY subject"


def test_at_most_one_review_of_a_shop_waits_for_all_that_has_changed(database_url: str) -> None:
    record(database_url, review_of(SHOP, 3), review_of(SHOP, 5), review_of(SHOP, 4), review_of(70, 6, NIGHTLY))
    assert rows(database_url, JOBS) == [(REVIEW, "7", 5, "pending", 0), (REVIEW, "70", 6, "pending", 2)]
    record(database_url, review_of(70, 7))
    assert rows(database_url, JOBS)[1] == (REVIEW, "70", 7, "pending", 0)


def test_a_change_during_a_review_causes_another_review(store: EventStore, database_url: str) -> None:
    record(database_url, review_of(SHOP, 3))
    job = claimed(database_url, review_of(SHOP, 3))
    record(database_url, review_of(SHOP, 8))
    with store.cursor() as cursor, pytest.raises(Retry):
        queue.finish(cursor, job)
    with connected(database_url, WRITER) as conn:
        queue.give_back(conn, job, "worker-a", delay=0, error=None, counted=False)
    later = claimed(database_url, review_of(SHOP, 8))
    assert (later.id, later.position) == (job.id, 8)
    with store.cursor() as cursor:
        queue.finish(cursor, later)
    assert rows(database_url, JOBS) == [(REVIEW, "7", 8, "done", 0)]
    record(database_url, review_of(SHOP, 9))
    assert rows(database_url, JOBS) == [(REVIEW, "7", 9, "pending", 0)]


def test_a_shop_that_was_just_reviewed_rests_before_it_is_again(store: EventStore, database_url: str) -> None:
    record(database_url, review_of(SHOP, 3))
    job = claimed(database_url, review_of(SHOP, 3))
    with store.cursor() as cursor:
        queue.finish(cursor, job)
    record(database_url, review_of(SHOP, 4))
    ((state, wait),) = rows(database_url, "SELECT state, extract(epoch FROM run_after - now())::float FROM jobs.jobs")
    assert state == "pending"
    assert 0 < wait <= queue.REST_SECONDS
    rows(database_url, "UPDATE jobs.jobs SET state = 'failed' RETURNING id")
    record(database_url, review_of(SHOP, 5))
    assert claimed(database_url, review_of(SHOP, 5)).position == 5


def test_a_ledger_calls_for_a_review_unless_it_was_empty() -> None:
    when = POLICIES[UploadCompleted]
    recorded: Any = type("At", (), {"business_id": SHOP, "position": 3})
    assert when(recorded, completed(SHOP)) == [review_of(SHOP, 3)]
    assert when(recorded, UploadCompleted("f", 0, 0, 0, 0)) == []


def test_a_morning_calls_for_a_review_of_every_active_shop(
    store: EventStore, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for business in (5, SHOP, 70):
        append(store, business, f"cash-{business}", POOR)
    position = append(store, None, "days", DayOpened(dt.date(2025, 11, 3)))
    new = NewJob(REVIEW_DAY, "2025-11-03", None, position, {}, NIGHTLY, again=True)
    reviewer = DayReviewer(store, partial(connected, database_url, WRITER))

    def at(hour: int, day: int = 2) -> None:
        instant = dt.datetime(2025, 11, day, hour, tzinfo=dt.UTC)
        monkeypatch.setattr(worker, "_now", lambda _: instant)
        record(database_url, new)
        reviewer(claimed(database_url, new), Held())

    with pytest.raises(Retry) as early:
        at(22)
    assert early.value.seconds == 3600  # it is 04:00 in Dhaka
    rows(database_url, "DELETE FROM jobs.jobs RETURNING id")
    at(23)
    assert rows(database_url, JOBS) == [
        (REVIEW_DAY, "2025-11-03", position, "done", NIGHTLY),
        *((REVIEW, str(shop), position, "pending", NIGHTLY) for shop in (5, 7, 70)),
    ]
    rows(database_url, "DELETE FROM jobs.jobs RETURNING id")
    at(19, day=3)  # the day is over
    assert [kind for kind, *_ in rows(database_url, JOBS)] == [REVIEW_DAY]


def test_rules_that_change_call_for_another_review_of_the_day(store: EventStore, database_url: str) -> None:
    day = append(store, None, "days", DayOpened(dt.date(2025, 11, 3)))
    position = append(store, None, "rules", RuleActivated("rfm", "rfm.v2", {}))
    with connected(database_url) as conn:
        (activated,) = LogReader([RuleActivated.topic]).after(conn, day, limit=1)
    (call,) = POLICIES[RuleActivated](activated, activated.event)
    assert isinstance(call, NewJob)
    today = activated.recorded_at.astimezone(ZoneInfo("Asia/Dhaka")).date()
    assert (call.kind, call.subject, call.position) == (REVIEW_DAY, str(today), position)
    morning = NewJob(REVIEW_DAY, str(today), None, day, {}, NIGHTLY)
    record(database_url, morning)
    claimed(database_url, morning)
    with store.cursor() as cursor:
        cursor.execute("UPDATE jobs.jobs SET state = 'done'")
    record(database_url, call)
    assert rows(database_url, JOBS) == [(REVIEW_DAY, str(today), position, "pending", NIGHTLY)]
