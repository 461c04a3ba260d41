"""Worker loop: wait for a wake-up, lease a job, run its handler while the lease is renewed.

A job whose worker dies is run again by another worker once the lease has run out.
"""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from psycopg import Connection

from shared.eventstore.store import INTERRUPTIONS, EventStore, Metadata, StoreError
from shared.eventstore.system_events import JobFailed
from shared.jobs import queue
from shared.jobs.broker import BrokerDown
from shared.jobs.lease import LeaseRenewal
from shared.jobs.wakeups import Receiver
from shared.runtime.heartbeat import process_name
from shared.runtime.loop import Loop

_POLL = 1.0
_BROKEN_PAUSE = 3.0
logger = logging.getLogger("smartmarket.worker")


class Worker(Loop):
    """Runs one job at a time until stopped."""

    transient = (*Loop.transient, StoreError)

    def __init__(
        self,
        store: EventStore,
        connect: Callable[[], Connection[Any]],
        receiver: Receiver,
        handlers: Mapping[str, queue.Handler],
    ) -> None:
        """Run jobs of the kinds that `handlers` contains."""
        super().__init__("worker")
        self._store = store
        self._connect = connect
        self._receiver = receiver
        self._handlers = handlers
        self._name = process_name("worker")

    def run(self) -> None:
        """Run jobs until stopped, then close the receiver."""
        try:
            super().run()
        finally:
            self._receiver.close()

    def step(self) -> None:
        """Wait for a wake-up and run its job; without one, or without a broker, run the most urgent job that is due."""
        try:
            if self._receiver.receive(_POLL, self.work_on):
                return
        except BrokerDown:
            self.wait(_POLL)
        self._work_on_due()

    def _work_on_due(self) -> None:
        with self._connect() as conn:
            waiting = queue.due(conn)
        for job in waiting[:1]:
            self.work_on(job)

    def work_on(self, job_id: uuid.UUID) -> None:
        """Lease a job and run its handler; does nothing if it is done or leased."""
        with self._connect() as conn:
            job = queue.claim(conn, job_id, self._name)
        if job is None:
            return
        lease = LeaseRenewal(self._connect, job, self._name, lambda: self.stopping)
        lease.start()
        began = time.monotonic()
        try:
            self._handlers[job.kind](job, lease)
            self._log("job done", job, began)
        except queue.Retry as retry:
            self._give_back(job, retry.seconds, None, counted=False)
        except (psycopg.OperationalError, psycopg.InterfaceError, *INTERRUPTIONS) as error:
            self._log("job interrupted; retrying", job, began, reason=_reason(error))
            self._give_back(job, _BROKEN_PAUSE, _reason(error), counted=False)
        except Exception as error:
            logger.exception(
                "job failed", extra={"job_id": str(job.id), "kind": job.kind, "business_id": job.business_id}
            )
            if lease.held():
                self._after_failure(job, _reason(error))
        finally:
            lease.stop()
        if self.stopping:
            self._give_back(job, 0.0, None, counted=False)

    def _after_failure(self, job: queue.Job, error: str) -> None:
        attempts = job.attempts + 1
        if attempts < queue.MAX_ATTEMPTS:
            self._give_back(job, queue.backoff(attempts), error, counted=True)
            return
        failed = JobFailed(str(job.id), job.kind, job.subject, attempts, error)
        stream = f"job-{job.id}"
        before = len(self._store.load(stream))
        meta = Metadata(actor="worker", command_id=f"{stream}-failed-{before}", causation=job.position)
        self._store.execute(job.business_id, meta, lambda unit: unit.append(stream, before, failed))

    def _give_back(self, job: queue.Job, delay: float, error: str | None, *, counted: bool) -> None:
        with self._connect() as conn:
            queue.give_back(conn, job, self._name, delay=delay, error=error, counted=counted)

    def _log(self, message: str, job: queue.Job, began: float, **extra: str) -> None:
        logger.info(
            message,
            extra={
                "job_id": str(job.id),
                "kind": job.kind,
                "business_id": job.business_id,
                "processing_time_ms": round((time.monotonic() - began) * 1000),
                **extra,
            },
        )


def _reason(error: Exception) -> str:
    """Return class and message of an error: at most 2,000 characters that the database can store."""
    text = f"{type(error).__name__}: {error}".replace("\x00", "\ufffd")
    return text.encode(errors="replace").decode()[:2000]
