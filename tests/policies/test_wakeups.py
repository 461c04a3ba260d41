"""Workers that the database wakes."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import psycopg
import pytest

from shared.jobs.broker import WakeupPublisher, WakeupReceiver
from shared.jobs.job import NIGHTLY
from shared.jobs.wakeups import DatabasePublisher, DatabaseReceiver, open_publisher, open_receiver
from shared.postgres.database import WRITER
from shared.runtime.container import Container
from tests.support.gate import before_database
from tests.support.jobs import claimed, new_job, record
from tests.support.log_facts import connected, rows
from tests.support.waiting import wait_until

# Counts the connections that have looked for due jobs and wait for a notification.
WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle' AND starts_with(query, 'SELECT id, priority FROM jobs')"""


@contextmanager
def receiver_of(url: str) -> Iterator[DatabaseReceiver]:
    receiver = DatabaseReceiver(partial(connected, url, WRITER))
    try:
        yield receiver
    finally:
        receiver.close()


def test_a_waiting_worker_gets_a_job_when_it_is_committed(database_url: str) -> None:
    received: list[uuid.UUID] = []
    with receiver_of(database_url) as receiver, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(receiver.receive, 60.0, received.append)
        wait_until(lambda: rows(database_url, WAITING) == [(1,)])
        began = time.monotonic()
        record(database_url, new_job())
        assert waiting.result(30) == 1
    assert received == [new_job().id]
    assert time.monotonic() - began < 30


def test_a_worker_gets_the_most_urgent_job_first(database_url: str) -> None:
    nightly, now = replace(new_job("night", 1), priority=NIGHTLY), new_job("now", 2)
    record(database_url, nightly, now)
    received: list[uuid.UUID] = []

    def take(job: uuid.UUID) -> None:
        received.append(job)
        claimed(database_url, now if job == now.id else nightly)

    with receiver_of(database_url) as receiver:
        assert [receiver.receive(0.01, take) for _ in range(3)] == [1, 1, 0]
    assert received == [now.id, nightly.id]


def test_a_lost_connection_is_opened_again(database_url: str) -> None:
    received: list[uuid.UUID] = []
    gate, through_gate = before_database(database_url)
    with gate, receiver_of(through_gate) as receiver:
        assert receiver.receive(0.01, received.append) == 0
        gate.shut()
        with pytest.raises(psycopg.Error):
            receiver.receive(5.0, received.append)
        gate.open()
        record(database_url, new_job())
        assert receiver.receive(5.0, received.append) == 1
    assert received == [new_job().id]


def test_a_broker_wakes_workers_only_where_one_is_named(container: Container) -> None:
    named = Container(container.settings.model_copy(update={"broker_url": "redis://127.0.0.1:1"}))
    unnamed = Container(container.settings.model_copy(update={"broker_url": None}))
    assert isinstance(open_publisher(named), WakeupPublisher)
    assert isinstance(open_receiver(named), WakeupReceiver)
    assert isinstance(open_publisher(unnamed), DatabasePublisher)
    assert isinstance(open_receiver(unnamed), DatabaseReceiver)
