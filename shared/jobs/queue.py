"""The jobs table: rows derived from the log, leased by workers.

The policies process inserts a job in the transaction that moves its position, and an outcome event closes it. Wake-ups
only say that the table has due jobs; losing one costs latency.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

from psycopg import Connection, Cursor
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from shared.jobs.job import AllDone, NewJob, Outcome

LEASE_SECONDS = 8.0
MAX_ATTEMPTS = 4
REST_SECONDS = 1.0
logger = logging.getLogger("smartmarket.jobs")

# Wakes the workers that listen, when the transaction commits.
NOTIFY = "SELECT pg_notify('jobs', '')"
LISTEN = "LISTEN jobs"
# Inserts a job; returns id and priority if it is new.
INSERT_JOB = """INSERT INTO jobs.jobs (id, kind, subject, business_id, position, payload, priority)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id, priority"""
# Makes a job due, for the first time or again; returns id and priority. One that is running stays leased and is due
# afterwards, because its position has moved.
INSERT_AGAIN = """INSERT INTO jobs.jobs AS j (id, kind, subject, business_id, position, payload, priority)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (kind, subject) DO UPDATE SET position = greatest(j.position, excluded.position),
        state = CASE WHEN j.state = 'running' THEN j.state ELSE 'pending' END,
        priority = CASE WHEN j.state IN ('done', 'failed') THEN excluded.priority
            ELSE least(j.priority, excluded.priority) END,
        attempts = CASE WHEN j.state IN ('done', 'failed') THEN 0 ELSE j.attempts END,
        run_after = CASE j.state WHEN 'done' THEN greatest(now(), j.run_after) WHEN 'failed' THEN now()
            ELSE j.run_after END
    RETURNING id, priority"""
# Closes a job, and delays the next run; returns a row unless an event called for the job again since it was leased.
FINISH = """UPDATE jobs.jobs SET state = 'done', error = NULL, leased_by = NULL, leased_until = NULL,
        run_after = now() + make_interval(secs => %s)
    WHERE id = %s AND position = %s RETURNING id"""
# Closes a job after its outcome event.
CLOSE_JOB = """UPDATE jobs.jobs SET state = %s, error = %s, leased_by = NULL, leased_until = NULL
    WHERE kind = %s AND subject = %s AND state <> 'done'"""
# Closes every job of a business; a worker that holds one loses it.
CLOSE_JOBS = """UPDATE jobs.jobs SET state = 'done', error = NULL, leased_by = NULL, leased_until = NULL
    WHERE business_id = %s AND state <> 'done'"""
# Makes a failed job due again, with all its attempts; returns id and priority.
REOPEN_JOB = """UPDATE jobs.jobs SET state = 'pending', attempts = 0, error = NULL, run_after = now(),
        leased_by = NULL, leased_until = NULL
    WHERE kind = %s AND subject = %s AND state <> 'done' RETURNING id, priority"""
# Leases a job to a worker; returns it if it was due and not leased.
CLAIM = """UPDATE jobs.jobs SET state = 'running', leased_by = %(worker)s,
        leased_until = now() + make_interval(secs => %(lease)s)
    WHERE id = %(id)s AND run_after <= now()
      AND (state = 'pending' OR (state = 'running' AND leased_until < now()))
    RETURNING id, kind, subject, business_id, position, payload, attempts, priority"""
# Extends a lease; returns a row if the worker still holds it.
EXTEND = """UPDATE jobs.jobs SET leased_until = now() + make_interval(secs => %s)
    WHERE id = %s AND leased_by = %s AND state = 'running' RETURNING id"""
# Releases a job for a later attempt.
GIVE_BACK = """UPDATE jobs.jobs SET state = 'pending', leased_by = NULL, leased_until = NULL, error = %(error)s,
        attempts = attempts + %(counted)s, run_after = now() + make_interval(secs => %(delay)s)
    WHERE id = %(id)s AND leased_by = %(worker)s"""
# Records a failed attempt, for operators.
INSERT_ATTEMPT = "INSERT INTO jobs.attempts (job_id, worker, error) VALUES (%s, %s, %s)"
# Selects the jobs that are due and not leased, the most urgent first.
SELECT_DUE = """SELECT id, priority FROM jobs.jobs WHERE state IN ('pending', 'running') AND run_after <= now()
    AND (leased_until IS NULL OR leased_until < now()) ORDER BY priority, run_after LIMIT 500"""
# Selects whether jobs that go before those of a priority wait for a worker, and whether a worker runs one.
SELECT_MORE_URGENT = """SELECT coalesce(bool_or(state = 'pending' AND run_after <= now()), false),
        coalesce(bool_or(state = 'running' AND leased_until > now()), false)
    FROM jobs.jobs WHERE state IN ('pending', 'running') AND priority < %s"""


@dataclass(frozen=True)
class Job:
    """A leased job; `attempts` counts the failures of the job itself, not those of the database or the broker."""

    id: uuid.UUID
    kind: str
    subject: str
    business_id: int | None
    position: int
    payload: dict[str, Any]
    attempts: int
    priority: int = 0


class MoreUrgent(NamedTuple):
    """Whether jobs of a higher priority wait for a worker, and whether some are run by one."""

    waiting: bool
    running: bool


class Retry(Exception):
    """The job cannot be done yet; it is retried after `seconds`, and the attempt is not counted."""

    def __init__(self, seconds: float) -> None:
        """Retry the job after `seconds`."""
        super().__init__(seconds)
        self.seconds = seconds


class Lease(Protocol):
    """The lease as its handler sees it."""

    def held(self) -> bool:
        """Tell whether the worker still holds the job."""


Handler = Callable[[Job, Lease], None]


def record(conn: Connection[Any], decisions: Sequence[NewJob | Outcome]) -> dict[int, list[uuid.UUID]]:
    """Insert, close and reopen jobs in the caller's transaction; returns the ids of those that are due, by priority."""
    due: list[tuple[uuid.UUID, int]] = []
    for decision in decisions:
        if isinstance(decision, NewJob):
            due += conn.execute(
                INSERT_AGAIN if decision.again else INSERT_JOB,
                (
                    decision.id,
                    decision.kind,
                    decision.subject,
                    decision.business_id,
                    decision.position,
                    Jsonb(decision.payload),
                    decision.priority,
                ),
            ).fetchall()
        elif isinstance(decision, AllDone):
            conn.execute(CLOSE_JOBS, (decision.business_id,))
        elif decision.state == "pending":
            due += conn.execute(REOPEN_JOB, (decision.kind, decision.subject)).fetchall()
        else:
            conn.execute(CLOSE_JOB, (decision.state, decision.error, decision.kind, decision.subject))
    if due:
        conn.execute(NOTIFY)
    return _by_priority(due)


def finish(cursor: Cursor[Any], job: Job) -> None:
    """Close a job that has no outcome event; raises Retry if an event called for it again since it was leased.

    The next run is at least REST_SECONDS later, so that frequent sales do not cause a run each.
    """
    if cursor.execute(FINISH, (REST_SECONDS, job.id, job.position)).fetchone() is None:
        raise Retry(REST_SECONDS)


def claim(conn: Connection[Any], job_id: uuid.UUID, worker: str) -> Job | None:
    """Lease a job; returns None if it is done, leased or not due."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(CLAIM, {"id": job_id, "worker": worker, "lease": LEASE_SECONDS}).fetchone()
    return Job(**row) if row else None


def extend(conn: Connection[Any], job: Job, worker: str) -> bool:
    """Extend a worker's lease by its full length from now; returns whether it was still this worker's."""
    return conn.execute(EXTEND, (LEASE_SECONDS, job.id, worker)).fetchone() is not None


def give_back(conn: Connection[Any], job: Job, worker: str, *, delay: float, error: str | None, counted: bool) -> None:
    """Release a job for an attempt in `delay` seconds; `counted` if the job itself failed."""
    conn.execute(
        GIVE_BACK,
        {"id": job.id, "worker": worker, "delay": delay, "error": error, "counted": int(counted)},
    )
    if counted:
        conn.execute(INSERT_ATTEMPT, (job.id, worker, error or ""))


def due(conn: Connection[Any]) -> list[uuid.UUID]:
    """Return the jobs that are due and not leased, the most urgent first."""
    return [job for job, _ in conn.execute(SELECT_DUE).fetchall()]


def due_by_priority(conn: Connection[Any]) -> dict[int, list[uuid.UUID]]:
    """Return the same, by priority."""
    return _by_priority(conn.execute(SELECT_DUE).fetchall())


def _by_priority(jobs: Sequence[tuple[uuid.UUID, int]]) -> dict[int, list[uuid.UUID]]:
    found: dict[int, list[uuid.UUID]] = {}
    for job, priority in sorted(jobs, key=lambda each: each[1]):
        found.setdefault(priority, []).append(job)
    return found


def more_urgent(conn: Connection[Any], priority: int) -> MoreUrgent:
    """Return whether jobs that go before those of this priority wait for a worker or are run by one."""
    return MoreUrgent(*cast("tuple[bool, bool]", conn.execute(SELECT_MORE_URGENT, (priority,)).fetchone()))


def backoff(attempts: int) -> float:
    """Return the seconds before the next attempt of a failed job: 300, 600, 1200."""
    return float(300 * 2 ** (attempts - 1))
