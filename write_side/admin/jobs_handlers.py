"""Command handlers of jobs: operators retry failed ones."""

import hashlib
import uuid
from dataclasses import replace
from typing import NamedTuple

from shared.eventstore.command import CommandContext, Result, Stream
from shared.operator_errors import JobNotFound
from write_side.admin.jobs_aggregate import FailedJob, RetryJob, decide, evolve

JOB = Stream("job", FailedJob(), evolve, per_business=False)

# Select kind, subject, business and state of a job.
SELECT_JOB = "SELECT kind, subject, business_id, state FROM jobs.jobs WHERE id = %s"


class RetriedJob(NamedTuple):
    """A job that is due again."""

    job_id: str
    kind: str
    subject: str


def retry_job(ctx: CommandContext, job_id: uuid.UUID) -> Result[RetriedJob]:
    """Retry a failed job; raises JobNotFound, JobNotFailed. A repeated command starts nothing twice."""
    with ctx.store.cursor() as cursor:
        row = cursor.execute(SELECT_JOB, (job_id,)).fetchone()
    if row is None:
        raise JobNotFound(details={"id": str(job_id)})
    stream, command = JOB.of(str(job_id)), RetryJob(str(job_id), row["kind"], row["subject"], row["state"])
    same = hashlib.sha256(stream.name(None).encode()).digest()
    result = replace(ctx, business_id=row["business_id"], request_hash=same).transact(
        stream, lambda job, _: decide(command, job), lambda _: [command.job_id, command.kind, command.subject]
    )
    return result.map(lambda answer: RetriedJob(*answer))
