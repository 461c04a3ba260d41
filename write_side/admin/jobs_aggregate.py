"""Aggregate of a job as the log knows it: failed for good, or retried by an operator.

`decide` takes the command and whether the last event of the job's stream is a failure; the job's row does not decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.eventstore.event import Event
from shared.eventstore.system_events import JobFailed, JobRetried
from shared.operator_errors import JobNotFailed


@dataclass(frozen=True)
class FailedJob:
    """`recorded`: the stream of the job has events; `failed`: the last one is its failure."""

    recorded: bool = False
    failed: bool = False


@dataclass(frozen=True)
class RetryJob:
    """Retry a failed job, whose row is in this state."""

    job_id: str
    kind: str
    subject: str
    state: str


def decide(command: RetryJob, job: FailedJob) -> Sequence[Event]:
    """Return the retry; raises JobNotFailed."""
    if not job.failed:
        state = "pending" if job.recorded else command.state
        raise JobNotFailed(details={"id": command.job_id, "state": state}, state=state)
    return [JobRetried(command.job_id, command.kind, command.subject)]


def evolve(_: FailedJob, event: Event) -> FailedJob:
    """Return the job after one more event."""
    return FailedJob(recorded=True, failed=isinstance(event, JobFailed))
