"""The scheduler erases shops whose owners asked for it, and the policies close their jobs."""

import datetime as dt
from collections.abc import Iterator

import psycopg
import pytest

from shared.eventstore.codec import RecordedEvent, encode
from shared.eventstore.command import CommandContext
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.eventstore.system_events import BusinessErased
from shared.jobs import queue
from shared.jobs.job import NewJob, Outcome
from shared.postgres.database import WRITER
from shared.runtime.container import Container
from tests.support.clocks import WrongClock
from tests.support.log_facts import connected, rows
from write_side.clock.handlers import Calendar
from write_side.identity.business_aggregate import RequestErasure, decide
from write_side.identity.erasure_handlers import GRACE, erase_due
from write_side.identity.index_rows import ERASURE, erasure_key
from write_side.identity.policy import when_business_erased
from write_side.identity.profile_handlers import business_of
from write_side.identity.registration_handlers import Applicant, register


@pytest.fixture
def clock(database_url: str) -> Iterator[WrongClock]:
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield WrongClock(conn)


def requested(store: EventStore) -> int:
    """Open a shop whose owner asks for it to be erased; returns its id."""
    applicant = Applicant("owner@shop.bd", "SecurePass123", "Ali", "Tea Shop", "retail")
    account = register(CommandContext(store, None, Metadata()), applicant).data
    assert account.business_id
    stream = business_of(account.business_id, account.user_id)

    def ask(unit: UnitOfWork) -> None:
        loaded = stream.load(unit)
        unit.claim(ERASURE, erasure_key(loaded.state.business_id), account.user_id, everywhere=True)
        stream.append(unit, loaded, decide(RequestErasure(unit.now + GRACE), loaded.state))

    store.execute(account.business_id, Metadata(), ask)
    return account.business_id


def test_a_requested_erasure_waits_for_its_moment_and_for_its_day_to_be_open(
    store: EventStore, container: Container, clock: WrongClock
) -> None:
    files, calendar = container.files(store), Calendar(store, boot="first", elapsed=lambda: clock.elapsed)
    calendar()
    business = requested(store)
    clock.passes((GRACE - dt.timedelta(hours=25)).total_seconds())
    calendar()
    assert erase_due(store, files) == []
    clock.set_by(dt.timedelta(days=2))  # a jump that no day is opened by
    assert calendar() is None
    assert erase_due(store, files) == []
    clock.set_by(dt.timedelta(0))
    clock.passes(dt.timedelta(hours=26).total_seconds())
    calendar()
    (erasure,) = erase_due(store, files)
    assert (erasure.business_id, erasure.erased) == (business, True)
    assert erase_due(store, files) == []


def test_an_erased_shops_jobs_are_closed_and_those_of_others_stay(database_url: str) -> None:
    jobs = [NewJob("review", str(number), business, 1, {}) for number, business in ((1, 7), (2, 7), (3, 23))]
    event = BusinessErased(7, 12, "")
    recorded = RecordedEvent(9, "business-7", 2, event.topic, 7, dt.datetime.now(dt.UTC), {}, encode(event))
    decided: list[NewJob | Outcome] = when_business_erased(recorded, event)
    with connected(database_url, WRITER) as conn:
        queue.record(conn, jobs)
        held = queue.claim(conn, jobs[1].id, "worker-a")
        assert held
        queue.record(conn, decided)
        assert not queue.extend(conn, held, "worker-a")
        queue.give_back(conn, held, "worker-a", delay=0.0, error="x", counted=True)
    states = rows(database_url, "SELECT subject, state FROM jobs.jobs ORDER BY subject")
    assert states == [("1", "done"), ("2", "done"), ("3", "pending")]
