import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from shared.domain.events.sales import UploadAccepted, UploadFailed
from shared.eventstore.listener import LogListener
from shared.eventstore.recorder import Append
from shared.eventstore.store import EventStore, Metadata
from shared.eventstore.system_events import JobFailed, JobRetried
from shared.jobs import queue as jobs
from shared.jobs.broker import WakeupPublisher, WakeupReceiver
from shared.jobs.queue import Job, Lease
from shared.jobs.worker import Worker
from shared.postgres.database import WRITER
from tests.support.brokers import closed_port, empty_queue, lose_hints, received, waiting
from tests.support.jobs import accept_nothing, end, of_jobs
from tests.support.log_facts import connected, rows
from tests.support.servers import Services
from tests.support.waiting import wait_until
from write_side.policies import Policies
from write_side.sales.policy import READ_UPLOAD

# A sweep that comes soon, and one that does not come during a test.
SOON, NEVER = 0.5, 3600.0
SWEEP_SECONDS, POLL_SECONDS = "write_side.policies._SWEEP_SECONDS", "shared.jobs.worker._POLL"
BEGIN_AT_THE_BEGINNING = "INSERT INTO jobs.progress VALUES ('jobs', 0)"
PROGRESS = "SELECT position FROM jobs.progress"
UNREAD = "SELECT position FROM jobs.unread"


@pytest.fixture
def queue(services: Services, database_url: str) -> Iterator[str]:
    with empty_queue(services.broker_url, database_url) as name:
        yield name


@pytest.fixture
def hints(services: Services, queue: str) -> Iterator[WakeupPublisher]:
    opened = WakeupPublisher(services.broker_url, queue)
    yield opened
    opened.close()


def policies_on(url: str, hints: WakeupPublisher, listener: LogListener | None = None) -> Policies:
    return Policies(partial(connected, url, WRITER), hints, listener or LogListener(url))


def follow(url: str, policies: Policies) -> int:
    """Take every step there is; returns how many there were."""
    steps = 0
    with connected(url, WRITER) as conn:
        conn.execute("INSERT INTO jobs.progress VALUES ('jobs', 0) ON CONFLICT DO NOTHING")
        while policies.advance(conn):
            steps += 1
    return steps


@contextmanager
def running(policies: Policies, listener: LogListener, worker: Worker | None = None) -> Iterator[None]:
    threads = [threading.Thread(target=part.run, daemon=True) for part in (policies, worker) if part]
    for thread in (listener, *threads):
        thread.start()
    yield
    for part in (policies, listener, worker):
        if part:
            part.stop()
    for thread in (*threads, listener):
        thread.join(20)
        assert not thread.is_alive()


def test_an_accepted_upload_becomes_a_job_and_a_hint_exactly_once(
    store: EventStore, database_url: str, services: Services, queue: str, hints: WakeupPublisher
) -> None:
    """Even where two policies processes follow the same log."""
    files = [accept_nothing(store) for _ in range(450)]
    rows(database_url, BEGIN_AT_THE_BEGINNING + " RETURNING 1")
    senders = [hints, WakeupPublisher(services.broker_url, queue)]
    with ThreadPoolExecutor(2) as pool:
        steps = list(pool.map(lambda sender: follow(database_url, policies_on(database_url, sender)), senders))
    assert sum(steps) == 3  # 200, 200 and 50 events
    assert of_jobs(database_url, "subject, position, business_id, state") == [
        (file_id, position, 7, "pending") for position, file_id in enumerate(files, 1)
    ]
    assert rows(database_url, PROGRESS) == [(450,)]
    assert follow(database_url, policies_on(database_url, hints)) == 0
    receiver = WakeupReceiver(services.broker_url, queue)
    jobs = sorted(job for (job,) in of_jobs(database_url, "id"))
    # A broker gives back to the queue what an earlier test's receiver had taken and not yet run.
    assert sorted(job for job in received(receiver) if job in jobs) == jobs
    senders[1].close()
    receiver.close()


def test_jobs_and_position_are_recorded_together_or_not_at_all(
    store: EventStore, database_url: str, hints: WakeupPublisher
) -> None:
    accept_nothing(store)
    with connected(database_url) as owner:
        owner.execute(BEGIN_AT_THE_BEGINNING)
        owner.execute("ALTER TABLE jobs.progress ADD CONSTRAINT stuck CHECK (position = 0)")
        with pytest.raises(psycopg.IntegrityError):
            follow(database_url, policies_on(database_url, hints))
        assert of_jobs(database_url, "id") == []
        owner.execute("ALTER TABLE jobs.progress DROP CONSTRAINT stuck")
    assert follow(database_url, policies_on(database_url, hints)) == 1
    assert len(of_jobs(database_url, "id")) == 1


def test_the_end_of_an_upload_closes_its_job_and_no_other(
    store: EventStore, database_url: str, hints: WakeupPublisher
) -> None:
    completed, unreadable, given_up, open_still = (accept_nothing(store) for _ in range(4))
    policies = policies_on(database_url, hints)
    assert follow(database_url, policies) == 1
    end(store, completed)
    end(store, unreadable, UploadFailed(unreadable, "INVALID_CSV_FORMAT", {}))
    end(store, given_up, JobFailed(str(uuid.uuid4()), READ_UPLOAD, given_up, 4, "ValueError: boom"))
    assert follow(database_url, policies) == 1
    assert of_jobs(database_url, "subject, state, error") == [
        (completed, "done", None),
        (unreadable, "done", "INVALID_CSV_FORMAT"),
        (given_up, "failed", "ValueError: boom"),
        (open_still, "pending", None),
    ]
    with connected(database_url, WRITER) as conn:
        assert [jobs.claim(conn, job, "w") is not None for (job,) in of_jobs(database_url, "id")] == [
            False,
            False,
            False,
            True,
        ]


def test_a_retried_job_has_all_attempts_but_a_finished_one_stays(
    store: EventStore, database_url: str, hints: WakeupPublisher
) -> None:
    given_up, completed = (accept_nothing(store) for _ in range(2))
    job = str(uuid.uuid4())
    end(store, given_up, JobFailed(job, READ_UPLOAD, given_up, 4, "ValueError: boom"))
    end(store, completed)
    policies = policies_on(database_url, hints)
    follow(database_url, policies)
    with connected(database_url, WRITER) as conn:
        conn.execute("UPDATE jobs.jobs SET attempts = 3, run_after = now() + interval '1 hour'")
    for file_id in (given_up, completed):
        end(store, file_id, JobRetried(job, READ_UPLOAD, file_id))
    follow(database_url, policies)
    assert of_jobs(database_url, "subject, state, error, attempts, run_after <= now()") == [
        (given_up, "pending", None, 0, True),
        (completed, "done", None, 3, False),
    ]


def test_an_upload_that_ended_before_anyone_followed_leaves_no_work(
    store: EventStore, database_url: str, hints: WakeupPublisher
) -> None:
    end(store, accept_nothing(store))
    follow(database_url, policies_on(database_url, hints))
    assert of_jobs(database_url, "state") == [("done",)]


def test_jobs_follow_from_the_log(store: EventStore, database_url: str, hints: WakeupPublisher) -> None:
    end(store, accept_nothing(store))
    accept_nothing(store, business=70)
    follow(database_url, policies_on(database_url, hints))
    columns = "id, kind, subject, business_id, position, payload, state, error"
    before = of_jobs(database_url, columns)
    rows(database_url, "WITH gone AS (DELETE FROM jobs.jobs) DELETE FROM jobs.progress RETURNING position")
    follow(database_url, policies_on(database_url, hints))
    assert of_jobs(database_url, columns) == before
    assert len(before) == 2


def test_hints_that_the_broker_lost_are_sent_again_by_the_next_sweep(
    store: EventStore,
    database_url: str,
    services: Services,
    queue: str,
    hints: WakeupPublisher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SWEEP_SECONDS, SOON)
    listener = LogListener(database_url)
    with running(policies_on(database_url, hints, listener), listener):
        accept_nothing(store)
        wait_until(lambda: waiting(services.broker_url, queue) > 0)
    lose_hints(services.broker_url, queue)
    assert waiting(services.broker_url, queue) == 0
    listener = LogListener(database_url)
    policies = policies_on(database_url, hints, listener)
    policies._swept_at = lost_at = time.monotonic()
    with running(policies, listener):
        wait_until(lambda: waiting(services.broker_url, queue) > 0)
    assert time.monotonic() - lost_at > SOON
    receiver = WakeupReceiver(services.broker_url, queue)
    assert {(job,) for job in received(receiver)} == set(of_jobs(database_url, "id"))
    receiver.close()


def test_lost_hints_cost_the_time_to_the_next_sweep_and_no_work(
    store: EventStore,
    database_url: str,
    services: Services,
    queue: str,
    hints: WakeupPublisher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SWEEP_SECONDS, SOON)
    handled: list[str] = []

    def read(job: Job, _: Lease) -> None:
        handled.append(job.subject)
        end(store, job.subject)

    files = [accept_nothing(store) for _ in range(3)]
    follow(database_url, policies_on(database_url, WakeupPublisher(closed_port("redis"), queue)))
    receiver = WakeupReceiver(services.broker_url, queue)
    worker = Worker(store, partial(connected, database_url, WRITER), receiver, {READ_UPLOAD: read})
    listener = LogListener(database_url)
    with running(policies_on(database_url, hints, listener), listener, worker):
        wait_until(lambda: of_jobs(database_url, "state") == [("done",)] * 3)
    assert sorted(handled) == sorted(files)
    assert len(rows(database_url, "SELECT FROM log.events WHERE topic = 'sales.UploadCompleted'")) == 3
    receiver.close()


def test_a_backlog_does_not_drown_the_broker_in_hints(
    store: EventStore,
    database_url: str,
    services: Services,
    queue: str,
    hints: WakeupPublisher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However often jobs are hinted at that nobody gets round to, the queue holds each of them once."""
    monkeypatch.setattr(SWEEP_SECONDS, 0.0)
    for _ in range(20):
        accept_nothing(store)
    sweeps: list[int] = []
    listener = LogListener(database_url)
    take_back = hints.take_back

    def counted() -> bool:
        sweeps.append(1)
        return take_back()

    monkeypatch.setattr(hints, "take_back", counted)
    with running(policies_on(database_url, hints, listener), listener):
        wait_until(lambda: len(of_jobs(database_url, "id")) == 20)
        for _ in range(10):
            listener._wake()
            before = len(sweeps)
            wait_until(lambda n=before: len(sweeps) > n)  # type: ignore[misc] # the loop's own number
    assert waiting(services.broker_url, queue) == 20
    receiver = WakeupReceiver(services.broker_url, queue)
    assert sorted(received(receiver)) == sorted(job for (job,) in of_jobs(database_url, "id"))
    receiver.close()


def test_a_new_job_is_worked_on_by_notification_and_hint(
    store: EventStore,
    database_url: str,
    services: Services,
    queue: str,
    hints: WakeupPublisher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the worker's poll nor the sweep comes in time to find it."""
    monkeypatch.setattr(SWEEP_SECONDS, NEVER)
    monkeypatch.setattr(POLL_SECONDS, NEVER)
    handled: list[str] = []

    def read(job: Job, _: Lease) -> None:
        handled.append(job.subject)
        end(store, job.subject)

    receiver = WakeupReceiver(services.broker_url, queue)
    worker = Worker(store, partial(connected, database_url, WRITER), receiver, {READ_UPLOAD: read})
    listener = LogListener(database_url)
    policies = policies_on(database_url, hints, listener)
    policies._swept_at = time.monotonic()
    with running(policies, listener, worker):
        for number in range(1, 4):
            accept_nothing(store)
            wait_until(lambda n=number: len(handled) == n)  # type: ignore[misc] # the loop's own number
        wait_until(lambda: of_jobs(database_url, "state") == [("done",)] * 3)
        monkeypatch.setattr(POLL_SECONDS, SOON)
        accept_nothing(store)  # wakes the worker, whose next wait is a short one
        wait_until(lambda: len(handled) == 4)
    receiver.close()


def test_policies_go_on_after_their_connection_was_lost(
    store: EventStore, database_url: str, hints: WakeupPublisher
) -> None:
    listener = LogListener(database_url)

    def connect() -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(database_url, autocommit=True, application_name="policies-of-a-test")

    followers = (
        "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'policies-of-a-test'"
    )
    with running(Policies(connect, hints, listener), listener):
        accept_nothing(store)
        wait_until(lambda: len(of_jobs(database_url, "id")) == 1)
        assert len(rows(database_url, followers)) == 1
        accept_nothing(store)
        wait_until(lambda: len(of_jobs(database_url, "id")) == 2)


def test_an_event_that_cannot_be_read_stops_no_other_shop(
    store: EventStore, database_url: str, hints: WakeupPublisher
) -> None:
    broken = StoredEvent("upload-broken", 1, UploadAccepted.topic, b"{")
    store.recorder.insert_events([broken], append=Append(business_id=7))
    file_id = str(uuid.uuid4())
    sound = UploadAccepted(file_id, "tea.csv", None, 1, "", 1)
    store.execute(8, Metadata(), lambda unit: unit.append(f"upload-{file_id}", 0, sound))
    with connected(database_url, WRITER) as conn:
        conn.execute(BEGIN_AT_THE_BEGINNING)
        assert policies_on(database_url, hints).advance(conn)
        assert conn.execute("SELECT business_id, subject FROM jobs.jobs").fetchall() == [(8, file_id)]


def test_an_event_of_a_later_release_becomes_a_job_after_the_upgrade(
    store: EventStore, database_url: str, hints: WakeupPublisher
) -> None:
    file_id = accept_nothing(store)
    unread = "UPDATE log.events SET topic = %s, state = %s WHERE notification_id = 1 RETURNING topic"
    ((topic, state),) = rows(database_url, "SELECT topic, state FROM log.events")
    later = b'{"class_version":99' + bytes(state).removeprefix(b'{"class_version":2')
    for unknown in (("sales.UploadPromised", state), (topic, later)):
        rows(database_url, "DELETE FROM jobs.progress RETURNING 1")
        rows(database_url, unread, *unknown)
        policies = policies_on(database_url, hints)
        follow(database_url, policies)
        with connected(database_url, WRITER) as conn:
            policies.retry_unread(conn)
        assert rows(database_url, PROGRESS) == [(1,)]
        assert (of_jobs(database_url, "id"), rows(database_url, UNREAD)) == ([], [(1,)])
    rows(database_url, unread, topic, state)
    with connected(database_url, WRITER) as conn:
        policies_on(database_url, hints).retry_unread(conn)
    assert of_jobs(database_url, "subject, position, state") == [(file_id, 1, "pending")]
    assert rows(database_url, UNREAD) == []
