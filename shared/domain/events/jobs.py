"""What happens to jobs that the log must remember."""

from typing import ClassVar

from shared.domain.events.base import Event


class JobFailed(Event, frozen=True):
    """A job was given up after its last attempt; `subject` is what it was about, e.g. a file id."""

    topic: ClassVar[str] = "jobs.JobFailed"
    job_id: str
    kind: str
    subject: str
    attempts: int
    error: str


class JobRetried(Event, frozen=True):
    """An operator had a job that was given up tried again, with as many attempts as a new one."""

    topic: ClassVar[str] = "jobs.JobRetried"
    job_id: str
    kind: str
    subject: str
