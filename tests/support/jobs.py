"""Uploads without a file, for tests of who works on them and when."""

import uuid
from typing import Any

import msgspec

from shared.domain.events.sales import UploadAccepted, UploadCompleted
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata
from shared.jobs import queue
from shared.jobs.job import NewJob
from shared.jobs.queue import Job
from shared.postgres.database import WRITER
from tests.support.event_samples import SAMPLES
from tests.support.log_facts import connected, rows
from write_side.sales.aggregate import stream_of
from write_side.sales.policy import READ_UPLOAD


def accept_nothing(store: EventStore, business: int = 7) -> str:
    """Record that a ledger was accepted; returns its file id."""
    file_id = str(uuid.uuid4())
    event = msgspec.structs.replace(SAMPLES[UploadAccepted.topic, 1], file_id=file_id)
    store.execute(business, Metadata(), lambda unit: unit.append(stream_of(file_id), 0, event))
    return file_id


def end(store: EventStore, file_id: str, event: Event | None = None, business: int = 7) -> None:
    """Record how the ledger ended; with nothing else said, completely."""
    last = event or UploadCompleted(file_id, 0, 0, 0, 0)
    stream = stream_of(file_id)
    store.execute(business, Metadata(), lambda unit: unit.append(stream, len(unit.load(stream)), last))


def new_job(subject: str = "file-1", position: int = 1) -> NewJob:
    return NewJob(READ_UPLOAD, subject, 7, position, {"why": "a test"})


def of_jobs(url: str, columns: str) -> list[tuple[Any, ...]]:
    """Return columns of every job, in the order of their positions."""
    return rows(url, f"SELECT {columns} FROM jobs.jobs ORDER BY position")  # noqa: S608 - columns of ours


def make_due(url: str) -> None:
    """Let the time pass that jobs wait for before they are tried again."""
    rows(url, "UPDATE jobs.jobs SET run_after = now() RETURNING id")


def job_for(new: NewJob, attempts: int = 0) -> Job:
    return Job(new.id, new.kind, new.subject, new.business_id, new.position, new.payload, attempts)


def record(url: str, *new: NewJob) -> None:
    with connected(url, WRITER) as conn:
        queue.record(conn, new)


def claimed(url: str, new: NewJob) -> Job:
    with connected(url, WRITER) as conn:
        job = queue.claim(conn, new.id, "worker-a")
    assert job is not None
    return job


def append(store: EventStore, business: int | None, stream: str, *events: Any) -> int:  # noqa: ANN401 - any event
    position = store.execute(business, Metadata(), lambda unit: unit.append(stream, 0, *events)).position
    assert position is not None
    return position
