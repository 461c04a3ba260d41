"""Events of the system itself: days, rules, failed and retried jobs, retried and erased businesses."""

import datetime as dt
from typing import ClassVar

from shared.eventstore.event import About, AuditAction, Dated, Event


class DayOpened(Event, frozen=True):
    """A day began in Asia/Dhaka, for every business; in the stream `days` dates rise until one is corrected."""

    topic: ClassVar[str] = "clock.DayOpened"
    date: dt.date


class DayCorrected(Event, frozen=True):
    """The day is `date`, an earlier one than `instead_of`, which a wrong clock had opened.

    From this position on, rows are as if the wrong day had not been opened. `by` is who corrected it; None: the
    scheduler, after the clock had been steady and agreed with a second source.
    """

    topic: ClassVar[str] = "clock.DayCorrected"
    audit: ClassVar[AuditAction | None] = AuditAction("clock_correct", "day", "date", by_system=True)
    date: dt.date
    instead_of: dt.date
    by: str | None = None


class RuleActivated(Event, frozen=True):
    """From this position on a rule applies with these parameters to every business; the stream `rules` is in order.

    `version` names the parameters, the same wherever they are the same: `rfm.v1`, `rfm.v1.3`. `by` is who chose them.
    """

    topic: ClassVar[str] = "rules.RuleActivated"
    rule: str
    version: str
    parameters: dict[str, int | float | list[int]]
    by: str | None = None


class JobFailed(Event, frozen=True):
    """A job was given up after its last attempt; `subject` is what it was about, e.g. a file id."""

    topic: ClassVar[str] = "jobs.JobFailed"
    books: ClassVar[Dated | About | None] = Dated(None)
    job_id: str
    kind: str
    subject: str
    attempts: int
    error: str


class JobRetried(Event, frozen=True):
    """An operator retried a failed job, with as many attempts as a new one."""

    topic: ClassVar[str] = "jobs.JobRetried"
    audit: ClassVar[AuditAction | None] = AuditAction("job_retry", "job", "job_id")
    books: ClassVar[Dated | About | None] = Dated(None)
    job_id: str
    kind: str
    subject: str


class ParkedBusinessRetried(Event, frozen=True):
    """An operator asked the projections in which a business is parked to apply again what waits there.

    `projections` are those that had it parked at that moment.
    """

    topic: ClassVar[str] = "projections.ParkedBusinessRetried"
    audit: ClassVar[AuditAction | None] = AuditAction("parked_retry", "business", "business_id")
    business_id: int
    projections: list[str]


class BusinessErased(Event, frozen=True):
    """A business is gone for good: the keys of all its personal data were destroyed in the same transaction.

    Read models and indexes have nothing of what the business recorded before, and it records nothing afterwards. It is
    in the stream `business-{business_id}`. `email_key` is the lookup key of its owner's e-mail, which is free again.
    """

    topic: ClassVar[str] = "identity.BusinessErased"
    audit: ClassVar[AuditAction | None] = AuditAction("business_erase", "business", "business_id", by_system=True)
    business_id: int
    user_id: int
    email_key: str


GLOBAL_TOPICS = (DayOpened.topic, DayCorrected.topic, RuleActivated.topic)
"""The events without a business that are part of every business's history."""
