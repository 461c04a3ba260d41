"""Jobs that were given up, handed out again by an operator; what the log says of a job decides, not its row."""

import hashlib
import uuid
from typing import NamedTuple

from shared.errors import JobNotFailed, JobNotFound
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.eventstore.system_events import JobFailed, JobRetried

# Returns what a job is about, and how its row stands.
SELECT_JOB = "SELECT kind, subject, business_id, state FROM jobs.jobs WHERE id = %s"


class Retried(NamedTuple):
    """A job that will be tried again."""

    job_id: str
    kind: str
    subject: str


def retry(store: EventStore, job_id: uuid.UUID, meta: Metadata) -> Retried:
    """Record that a job is to be tried again; raises JobNotFound, and JobNotFailed unless it was given up.

    The same command again returns the same answer and starts nothing twice.
    """
    with store.cursor() as cursor:
        found = cursor.execute(SELECT_JOB, (job_id,)).fetchall()
    if not found:
        raise JobNotFound(details={"id": str(job_id)})
    job, stream = found[0], f"job-{job_id}"

    def decide(unit: UnitOfWork) -> list[str]:
        history = unit.load(stream)
        if not history or history[-1].topic != JobFailed.topic:
            state = "pending" if history else job["state"]
            raise JobNotFailed(details={"id": str(job_id), "state": state}, state=state)
        unit.append(stream, len(history), JobRetried(str(job_id), job["kind"], job["subject"]))
        return [str(job_id), job["kind"], job["subject"]]

    outcome = store.execute(job["business_id"], meta, decide, request_hash=hashlib.sha256(stream.encode()).digest())
    return Retried(*outcome.result)
