"""Command handlers of jobs: operators retry failed ones, one or all that match."""

import hashlib
import uuid
from collections import Counter
from dataclasses import dataclass, replace
from typing import NamedTuple

from shared.eventstore.command import CommandContext, Result, Stream
from shared.operator_errors import JobNotFailed, JobNotFound
from write_side.admin.jobs_aggregate import FailedJob, RetryJob, decide, evolve

JOB = Stream("job", FailedJob(), evolve, per_business=False)

# Select kind, subject, business and state of a job.
SELECT_JOB = "SELECT kind, subject, business_id, state FROM jobs.jobs WHERE id = %s"
# Select the failed jobs that match, oldest first.
SELECT_FAILED = """SELECT id, kind FROM jobs.jobs WHERE state = 'failed'
        AND (%(kind)s::text IS NULL OR kind = %(kind)s)
        AND (%(business)s::bigint IS NULL OR business_id = %(business)s)
        AND (%(error)s::text IS NULL OR position(lower(%(error)s) IN lower(error)) > 0)
    ORDER BY position, id"""
MOST_AT_ONCE = 500


class RetriedJob(NamedTuple):
    """A job that is due again."""

    job_id: str
    kind: str
    subject: str


@dataclass(frozen=True)
class JobFilter:
    """Which failed jobs: of a kind, of a business, with a text in the error; None is any."""

    kind: str | None = None
    business_id: int | None = None
    error: str | None = None


class RetriedJobs(NamedTuple):
    """How many failed jobs match, by kind, how many are due again, and how many still are failed."""

    kinds: dict[str, int]
    retried: int
    left: int


def retry_jobs(ctx: CommandContext, wanted: JobFilter, *, dry_run: bool = False) -> RetriedJobs:
    """Retry the failed jobs that match, the oldest 500 at most; nothing if `dry_run`.

    Each is a command of its own. The same command again retries those once that the first one left out.
    """
    parameters = {"kind": wanted.kind, "business": wanted.business_id, "error": wanted.error}
    with ctx.store.cursor() as cursor:
        found = cursor.execute(SELECT_FAILED, parameters).fetchall()
    kinds = dict(Counter(row["kind"] for row in found))
    if dry_run:
        return RetriedJobs(kinds, 0, len(found))
    retried = sum(_retried(ctx, row["id"]) for row in found[:MOST_AT_ONCE])
    return RetriedJobs(kinds, retried, max(0, len(found) - MOST_AT_ONCE))


def _retried(ctx: CommandContext, job_id: uuid.UUID) -> bool:
    """Retry one of many; returns False if another operator was faster."""
    command_id = ctx.meta.command_id and str(uuid.uuid5(job_id, ctx.meta.command_id))
    try:
        retry_job(replace(ctx, meta=replace(ctx.meta, command_id=command_id)), job_id)
    except JobNotFailed:
        return False
    return True


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
