import threading
import uuid
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest
from eventsourcing.persistence import DataError

from shared.eventstore.store import EventStore
from shared.eventstore.system_events import JobFailed
from shared.jobs import queue as jobs
from shared.jobs.broker import WakeupPublisher, WakeupReceiver
from shared.jobs.job import NewJob
from shared.jobs.queue import Handler, Job, Lease
from shared.jobs.worker import Worker
from shared.postgres.database import WRITER
from tests.support.brokers import closed_port, empty_queue
from tests.support.gate import Gate, before_broker, before_database
from tests.support.jobs import job_for, make_due, new_job, of_jobs
from tests.support.log_facts import connected, rows
from tests.support.servers import Services
from tests.support.waiting import wait_until
from write_side.sales.policy import READ_UPLOAD

WAIT = "extract(epoch FROM run_after - now())::int"


class Desk:
    """A worker's handler that notes what it is given and does what the test says."""

    def __init__(self) -> None:
        self.handled: list[Job] = []
        self.then: Handler = lambda _job, _lease: None

    def __call__(self, job: Job, lease: Lease) -> None:
        self.handled.append(job)
        self.then(job, lease)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def queue(services: Services, database_url: str) -> Iterator[str]:
    with empty_queue(services.broker_url, database_url) as name:
        yield name


def worker_at(desk: Desk, store: EventStore, url: str, receiver: WakeupReceiver | None = None) -> Worker:
    receiver = receiver or WakeupReceiver(closed_port("redis"), "nothing")
    return Worker(store, partial(connected, url, WRITER), receiver, {READ_UPLOAD: desk})


def record(url: str, *new: NewJob) -> None:
    with connected(url, WRITER) as conn:
        jobs.record(conn, new)


def test_a_hinted_job_is_handled_once(
    store: EventStore, database_url: str, services: Services, queue: str, desk: Desk
) -> None:
    record(database_url, new_job(), new_job("file-2", 2))
    sender = WakeupPublisher(services.broker_url, queue)
    sender.send([new_job().id, new_job().id, uuid.uuid4(), new_job(position=2).id])
    worker = worker_at(desk, store, database_url, WakeupReceiver(services.broker_url, queue))
    with running(worker):
        wait_until(lambda: len(desk.handled) == 2)
        sender.send([new_job().id])
        threading.Event().wait(0.3)
    sender.close()
    assert desk.handled == [job_for(new_job()), job_for(new_job("file-2", 2))]
    assert of_jobs(database_url, "attempts") == [(0,), (0,)]


def test_a_failing_job_is_retried_and_abandoned_after_four_attempts(
    store: EventStore, database_url: str, desk: Desk
) -> None:
    def fail(job: Job, _: Lease) -> None:
        message = f"attempt {job.attempts}"
        raise ValueError(message)

    desk.then = fail
    worker = worker_at(desk, store, database_url)
    record(database_url, new_job())
    for attempt, wait in enumerate((300, 600, 1200), 1):
        worker.work_on(new_job().id)
        ((state, attempts, error, due_in),) = of_jobs(database_url, f"state, attempts, error, {WAIT}")
        assert (state, attempts, error) == ("pending", attempt, f"ValueError: attempt {attempt - 1}")
        assert wait - 10 < due_in <= wait
        worker.work_on(new_job().id)  # not yet
        make_due(database_url)
    assert len(desk.handled) == 3
    assert store.head() == 0
    worker.work_on(new_job().id)
    (failed,) = store.load(f"job-{new_job().id}")
    assert failed.event == JobFailed(str(new_job().id), READ_UPLOAD, "file-1", 4, "ValueError: attempt 3")
    assert (failed.business_id, failed.meta["causation"]) == (7, 1)


def test_a_job_that_must_wait_is_given_back_uncounted(store: EventStore, database_url: str, desk: Desk) -> None:
    def retry(_: Job, __: Lease) -> None:
        raise jobs.Retry(60)

    desk.then = retry
    record(database_url, new_job())
    worker_at(desk, store, database_url).work_on(new_job().id)
    ((state, attempts, error, due_in),) = of_jobs(database_url, f"state, attempts, error, {WAIT}")
    assert (state, attempts, error) == ("pending", 0, None)
    assert 50 < due_in <= 60


@pytest.mark.parametrize("error", [psycopg.OperationalError("gone"), psycopg.InterfaceError("gone")])
def test_a_lost_database_is_no_fault_of_the_job(
    store: EventStore, database_url: str, desk: Desk, error: Exception
) -> None:
    def lose(_: Job, __: Lease) -> None:
        raise error

    desk.then = lose
    record(database_url, new_job())
    worker_at(desk, store, database_url).work_on(new_job().id)
    ((state, attempts, due_in),) = of_jobs(database_url, f"state, attempts, {WAIT}")
    assert (state, attempts) == ("pending", 0)
    assert 0 <= due_in < 10


def test_a_value_the_database_rejects_fails_the_job(store: EventStore, database_url: str, desk: Desk) -> None:
    def write_nonsense(_: Job, __: Lease) -> None:
        with store.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    desk.then = write_nonsense
    record(database_url, new_job())
    worker_at(desk, store, database_url).work_on(new_job().id)
    ((attempts, error),) = of_jobs(database_url, "attempts, error")
    assert attempts == 1
    assert error.startswith(DataError.__name__)


def test_a_worker_that_ends_gives_its_job_back_at_once(store: EventStore, database_url: str, desk: Desk) -> None:
    record(database_url, new_job())
    worker = worker_at(desk, store, database_url)

    def notice_the_end(_: Job, lease: Lease) -> None:
        assert lease.held()
        worker.stop()
        assert not lease.held()

    desk.then = notice_the_end
    worker.work_on(new_job().id)
    assert of_jobs(database_url, f"state, leased_by, attempts, {WAIT}") == [("pending", None, 0, 0)]


def test_a_worker_without_a_broker_looks_into_the_table(store: EventStore, database_url: str, desk: Desk) -> None:
    record(database_url, new_job())
    with running(worker_at(desk, store, database_url)):
        wait_until(lambda: len(desk.handled) == 1, 15)
    assert desk.handled == [job_for(new_job())]


def test_a_worker_who_hears_nothing_looks_into_the_table(
    store: EventStore, database_url: str, services: Services, queue: str, desk: Desk
) -> None:
    record(database_url, new_job())
    with running(worker_at(desk, store, database_url, WakeupReceiver(services.broker_url, queue))):
        wait_until(lambda: len(desk.handled) == 1, 10)
    assert desk.handled == [job_for(new_job())]


def test_a_worker_outlives_broker_and_database_together(
    store: EventStore, database_url: str, services: Services, queue: str, desk: Desk
) -> None:
    record(database_url, new_job())
    gate, through_gate = before_database(database_url)
    broker_gate, broker_url = before_broker(services.broker_url)
    with gate, broker_gate, running(worker_at(desk, store, through_gate, WakeupReceiver(broker_url, queue))) as thread:
        _away_for_a_while(gate, broker_gate, thread)
        with HintSending(services.broker_url, queue) as sender:
            sender.send([new_job().id])
            wait_until(lambda: len(desk.handled) == 1, 15)
    assert desk.handled == [job_for(new_job())]


def _away_for_a_while(gate: Gate, broker_gate: Gate, thread: threading.Thread) -> None:
    gate.shut()
    broker_gate.shut()
    thread.join(2.5)
    assert thread.is_alive()
    gate.open()
    broker_gate.open()


def test_a_worker_whose_job_was_taken_over_does_not_give_it_up(
    store: EventStore, database_url: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE_SECONDS", 0.6)

    def lose_the_lease_and_fail(_: Job, lease: Lease) -> None:
        rows(database_url, "UPDATE jobs.jobs SET leased_by = 'worker-b' RETURNING id")
        wait_until(lambda: not lease.held())
        raise ZeroDivisionError

    desk.then = lose_the_lease_and_fail
    record(database_url, new_job())
    rows(database_url, "UPDATE jobs.jobs SET attempts = 3 RETURNING id")
    worker_at(desk, store, database_url).work_on(new_job().id)
    assert store.head() == 0
    assert of_jobs(database_url, "state, leased_by, attempts, error") == [("running", "worker-b", 3, None)]


def test_any_error_message_can_be_recorded(store: EventStore, database_url: str, desk: Desk) -> None:
    def fail(_: Job, __: Lease) -> None:
        message = "cell \x00 \ud800 আলী"
        raise ValueError(message)

    desk.then = fail
    worker = worker_at(desk, store, database_url)
    record(database_url, new_job())
    for attempts in (0, 3):
        rows(database_url, "UPDATE jobs.jobs SET attempts = %s, run_after = now() RETURNING id", attempts)
        worker.work_on(new_job().id)
    assert of_jobs(database_url, "error") == [("ValueError: cell \ufffd ? আলী",)]
    (failed,) = store.load(f"job-{new_job().id}")
    assert failed.event == JobFailed(str(new_job().id), READ_UPLOAD, "file-1", 4, "ValueError: cell \ufffd ? আলী")


def test_a_second_failure_for_good_of_a_retried_job_is_recorded_too(
    store: EventStore, database_url: str, desk: Desk
) -> None:
    def fail(_: Job, __: Lease) -> None:
        raise ZeroDivisionError

    desk.then = fail
    worker = worker_at(desk, store, database_url)
    record(database_url, new_job())
    for _ in range(2):
        rows(database_url, "UPDATE jobs.jobs SET state = 'pending', attempts = 3, run_after = now() RETURNING id")
        worker.work_on(new_job().id)
    assert [r.version for r in store.load(f"job-{new_job().id}")] == [1, 2]


class HintSending(WakeupPublisher):
    """A sender that closes itself."""

    def __enter__(self) -> WakeupPublisher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class running:  # noqa: N801 - reads as a statement
    """Runs a worker while the test looks on."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._thread = threading.Thread(target=worker.run, daemon=True)

    def __enter__(self) -> threading.Thread:
        self._thread.start()
        return self._thread

    def __exit__(self, *_: object) -> None:
        self._worker.stop()
        self._thread.join(20)
        self._worker._receiver.close()
        assert not self._thread.is_alive()
