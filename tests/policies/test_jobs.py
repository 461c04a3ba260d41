import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from shared.jobs import queue
from shared.jobs.job import NIGHTLY, WAITED_FOR, NewJob, Outcome
from shared.jobs.lease import LeaseRenewal
from shared.jobs.queue import Job
from shared.postgres.database import WRITER
from tests.support.gate import before_database
from tests.support.jobs import job_for, make_due, new_job, of_jobs
from tests.support.log_facts import connected, rows
from tests.support.waiting import wait_until

LEASE = 1.5
LEASED_FOR = "SELECT extract(epoch FROM leased_until - now())::float FROM jobs.jobs"


@pytest.fixture
def _short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "LEASE_SECONDS", LEASE)


def record(url: str, *decisions: NewJob | Outcome) -> int:
    with connected(url, WRITER) as conn:
        return sum(map(len, queue.record(conn, decisions).values()))


def claim(url: str, worker: str = "worker-a", subject: str = "file-1") -> Job | None:
    with connected(url, WRITER) as conn:
        return queue.claim(conn, new_job(subject).id, worker)


def test_a_job_is_recorded_once_and_keeps_its_outcome(database_url: str) -> None:
    assert record(database_url, new_job(), new_job("file-2", 2), new_job()) == 2
    claim(database_url)
    assert record(database_url, new_job(), new_job("file-2", 2)) == 0
    assert record(database_url, new_job("file-2", 3)) == 0  # one per kind and subject, whatever called for it
    assert of_jobs(database_url, "subject, position, state") == [("file-1", 1, "running"), ("file-2", 2, "pending")]


def test_a_jobs_id_follows_from_its_event_kind_and_subject(database_url: str) -> None:
    assert new_job("a").id == new_job("a").id != new_job("b").id
    assert new_job(position=2).id != new_job(position=1).id
    record(database_url, new_job())
    assert of_jobs(database_url, "id") == [(new_job().id,)]


def test_of_eight_workers_who_claim_a_job_one_gets_it(database_url: str) -> None:
    for round_ in range(1, 6):
        subject = f"file-{round_}"
        record(database_url, new_job(subject, round_))
        start = threading.Barrier(8)
        job_id = new_job(subject, round_).id

        def claim_at_once(worker: int, wanted: uuid.UUID = job_id, start: threading.Barrier = start) -> Job | None:
            with connected(database_url, WRITER) as conn:
                start.wait(10)
                return queue.claim(conn, wanted, f"worker-{worker}")

        with ThreadPoolExecutor(8) as pool:
            got = [job for job in pool.map(claim_at_once, range(8)) if job]
        assert got == [job_for(new_job(subject, round_))]


def test_a_leased_job_belongs_to_one_worker_until_expiry(database_url: str) -> None:
    record(database_url, new_job())
    assert claim(database_url, "worker-a") == job_for(new_job())
    with connected(database_url, WRITER) as conn:
        assert claim(database_url, "worker-b") is None
        assert queue.due(conn) == []
        ((leased_for,),) = rows(database_url, LEASED_FOR)
        assert 0 < leased_for <= queue.LEASE_SECONDS
        rows(database_url, "UPDATE jobs.jobs SET leased_until = now() - interval '1 ms' RETURNING id")
        assert queue.due(conn) == [new_job().id]
    assert claim(database_url, "worker-b") == job_for(new_job())
    assert of_jobs(database_url, "leased_by, state") == [("worker-b", "running")]


def test_a_job_that_waits_is_not_due(database_url: str) -> None:
    record(database_url, new_job())
    job = claim(database_url)
    assert job is not None
    with connected(database_url, WRITER) as conn:
        queue.give_back(conn, job, "worker-a", delay=300, error="broken", counted=True)
        assert queue.due(conn) == []
        assert claim(database_url) is None
        make_due(database_url)
        assert queue.due(conn) == [job.id]
    assert claim(database_url) == job_for(new_job(), attempts=1)


@pytest.mark.parametrize("counted", [True, False])
def test_a_job_given_back_waits_and_counts_only_its_own_failures(database_url: str, counted: bool) -> None:
    record(database_url, new_job())
    job = claim(database_url)
    assert job is not None
    with connected(database_url, WRITER) as conn:
        queue.give_back(conn, job, "worker-a", delay=60, error="why", counted=counted)
    ((state, worker, attempts, error, wait),) = of_jobs(
        database_url, "state, leased_by, attempts, error, extract(epoch FROM run_after - now())::float"
    )
    assert (state, worker, attempts, error) == ("pending", None, int(counted), "why")
    assert 50 < wait <= 60


def test_only_the_holder_gives_a_job_back(database_url: str) -> None:
    record(database_url, new_job())
    job = claim(database_url, "worker-b")
    assert job is not None
    with connected(database_url, WRITER) as conn:
        queue.give_back(conn, job, "worker-a", delay=0, error="zombie", counted=True)
    assert of_jobs(database_url, "leased_by, attempts, error") == [("worker-b", 0, None)]


@pytest.mark.parametrize(("state", "error"), [("done", None), ("done", "INVALID_CSV_FORMAT"), ("failed", "boom")])
def test_an_outcome_closes_its_job_for_good(database_url: str, state: str, error: str | None) -> None:
    record(database_url, new_job(), new_job("file-2", 2))
    job = claim(database_url)
    assert job is not None
    record(database_url, Outcome(job.kind, "file-1", state, error))
    with connected(database_url, WRITER) as conn:
        queue.give_back(conn, job, "worker-a", delay=0, error=None, counted=False)
        assert queue.due(conn) == [new_job("file-2", 2).id]
    assert claim(database_url, "worker-b") is None
    assert of_jobs(database_url, "state, error, leased_by, leased_until") == [
        (state, error, None, None),
        ("pending", None, None, None),
    ]


def test_a_failing_job_waits_longer_each_time() -> None:
    assert [queue.backoff(attempts) for attempts in range(1, queue.MAX_ATTEMPTS)] == [300, 600, 1200]


@pytest.mark.usefixtures("_short_leases")
def test_a_beating_heart_keeps_the_lease(database_url: str) -> None:
    record(database_url, new_job())
    job = claim(database_url)
    assert job is not None
    heart = LeaseRenewal(partial(connected, database_url, WRITER), job, "worker-a", lambda: False)
    heart.start()
    until = time.monotonic() + 2 * LEASE
    while time.monotonic() < until:
        assert claim(database_url, "worker-b") is None
        assert heart.held()
        heart.join(0.05)
    heart.stop()
    heart.join(5)
    wait_until(lambda: claim(database_url, "worker-b") is not None, 5)


@pytest.mark.usefixtures("_short_leases")
def test_a_worker_notices_that_it_lost_the_lease(database_url: str) -> None:
    record(database_url, new_job())
    job = claim(database_url)
    assert job is not None
    heart = LeaseRenewal(partial(connected, database_url, WRITER), job, "worker-a", lambda: False)
    heart.start()
    rows(
        database_url, "UPDATE jobs.jobs SET leased_by = 'worker-b', leased_until = now() + interval '1 h' RETURNING id"
    )
    wait_until(lambda: not heart.held(), LEASE)
    heart.join(5)
    ((leased_for,),) = rows(database_url, LEASED_FOR)
    assert leased_for > 3500  # the other's lease is as it was


@pytest.mark.usefixtures("_short_leases")
def test_a_worker_that_cannot_extend_loses_its_lease_on_expiry(database_url: str) -> None:
    record(database_url, new_job())
    job = claim(database_url)
    assert job is not None
    claimed = of_jobs(database_url, "leased_until")
    gate, through_gate = before_database(database_url)
    with gate:
        heart = LeaseRenewal(partial(connected, through_gate, WRITER), job, "worker-a", lambda: False)
        heart.start()
        wait_until(lambda: of_jobs(database_url, "leased_until") != claimed)
        gate.shut()
        assert heart.held()
        wait_until(lambda: not heart.held(), 2 * LEASE)
        heart.join(5)


def test_a_worker_that_wants_to_end_holds_nothing_any_more(database_url: str) -> None:
    ending = threading.Event()
    heart = LeaseRenewal(partial(connected, database_url), job_for(new_job()), "worker-a", ending.is_set)
    assert heart.held()
    ending.set()
    assert not heart.held()


def test_jobs_of_waiting_users_are_due_first(database_url: str) -> None:
    nightly, waited_for = replace(new_job("night", 1), priority=NIGHTLY), new_job("now", 2)
    record(database_url, nightly, waited_for)
    with connected(database_url, WRITER) as conn:
        assert queue.due(conn) == [waited_for.id, nightly.id]
        assert queue.due_by_priority(conn) == {WAITED_FOR: [waited_for.id], NIGHTLY: [nightly.id]}
        assert queue.more_urgent(conn, NIGHTLY) == (True, False)
        assert queue.more_urgent(conn, WAITED_FOR) == (False, False)
        assert queue.claim(conn, waited_for.id, "worker-a") is not None
        assert queue.more_urgent(conn, NIGHTLY) == (False, True)
