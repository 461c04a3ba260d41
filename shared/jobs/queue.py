"""Work to do: rows that follow from the log, leased by workers; the broker carries hints only.

The policies process inserts a job in the transaction that moves its position, and an outcome event closes it. Losing
the broker costs latency: whoever sweeps sends the hints again.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

from psycopg import Connection, Cursor
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from shared.jobs.job import NewJob, Outcome

LEASE_SECONDS = 8.0
MAX_ATTEMPTS = 4
REST_SECONDS = 1.0
logger = logging.getLogger("smartmarket.jobs")

# Returns id and priority of a job that is new.
INSERT_JOB = """INSERT INTO jobs.jobs (id, kind, subject, business_id, position, payload, priority)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id, priority"""
# Returns id and priority of a job that is due, again or for the first time; one that is being done is due afterwards,
# since it began with an earlier position.
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
# Returns a row if the job was not called for again since it was claimed; it is done then, and rests before it is again.
FINISH = """UPDATE jobs.jobs SET state = 'done', error = NULL, leased_by = NULL, leased_until = NULL,
        run_after = now() + make_interval(secs => %s)
    WHERE id = %s AND position = %s RETURNING id"""
# Returns nothing; an outcome event closes its job.
CLOSE_JOB = """UPDATE jobs.jobs SET state = %s, error = %s, leased_by = NULL, leased_until = NULL
    WHERE kind = %s AND subject = %s AND state <> 'done'"""
# Returns id and priority of a job that was given up and is free again, with all its attempts.
REOPEN_JOB = """UPDATE jobs.jobs SET state = 'pending', attempts = 0, error = NULL, run_after = now(),
        leased_by = NULL, leased_until = NULL
    WHERE kind = %s AND subject = %s AND state <> 'done' RETURNING id, priority"""
# Returns the job if it was free and due, now leased by this worker.
CLAIM = """UPDATE jobs.jobs SET state = 'running', leased_by = %(worker)s,
        leased_until = now() + make_interval(secs => %(lease)s)
    WHERE id = %(id)s AND run_after <= now()
      AND (state = 'pending' OR (state = 'running' AND leased_until < now()))
    RETURNING id, kind, subject, business_id, position, payload, attempts, priority"""
# Returns a row while the lease is still this worker's.
EXTEND = """UPDATE jobs.jobs SET leased_until = now() + make_interval(secs => %s)
    WHERE id = %s AND leased_by = %s AND state = 'running' RETURNING id"""
# Returns nothing; the job is free again after a while.
GIVE_BACK = """UPDATE jobs.jobs SET state = 'pending', leased_by = NULL, leased_until = NULL, error = %(error)s,
        attempts = attempts + %(counted)s, run_after = now() + make_interval(secs => %(delay)s)
    WHERE id = %(id)s AND leased_by = %(worker)s"""
# Returns nothing; the attempt is kept for who looks after the job.
INSERT_ATTEMPT = "INSERT INTO jobs.attempts (job_id, worker, error) VALUES (%s, %s, %s)"
# Returns the jobs that are due and leased by nobody alive, those somebody waits for first.
SELECT_DUE = """SELECT id, priority FROM jobs.jobs WHERE state IN ('pending', 'running') AND run_after <= now()
    AND (leased_until IS NULL OR leased_until < now()) ORDER BY priority, run_after LIMIT 500"""
# Selects whether jobs that go before those of a priority wait for a worker, and whether a worker runs one.
SELECT_MORE_URGENT = """SELECT coalesce(bool_or(state = 'pending' AND run_after <= now()), false),
        coalesce(bool_or(state = 'running' AND leased_until > now()), false)
    FROM jobs.jobs WHERE state IN ('pending', 'running') AND priority < %s"""


@dataclass(frozen=True)
class Job:
    """A job as its worker holds it; `attempts` counts those that failed by their own fault."""

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
    """The job can't be done right now; try again after `seconds`, without counting the attempt."""

    def __init__(self, seconds: float) -> None:
        """Give the job back for `seconds`."""
        super().__init__(seconds)
        self.seconds = seconds


class Lease(Protocol):
    """What a handler sees of its lease."""

    def held(self) -> bool:
        """Tell whether the job is still this worker's."""


Handler = Callable[[Job, Lease], None]


def record(conn: Connection[Any], decisions: Sequence[NewJob | Outcome]) -> dict[int, list[uuid.UUID]]:
    """Insert, close and reopen jobs in the caller's transaction; returns which to hint at after the commit."""
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
        elif decision.state == "pending":
            due += conn.execute(REOPEN_JOB, (decision.kind, decision.subject)).fetchall()
        else:
            conn.execute(CLOSE_JOB, (decision.state, decision.error, decision.kind, decision.subject))
    return _by_priority(due)


def finish(cursor: Cursor[Any], job: Job) -> None:
    """Close a job that no outcome event closes; raises Retry if it was called for again since it was claimed.

    Done again, it is so a while later: however often something is sold, the same is not reckoned all the time.
    """
    if cursor.execute(FINISH, (REST_SECONDS, job.id, job.position)).fetchone() is None:
        raise Retry(REST_SECONDS)


def claim(conn: Connection[Any], job_id: uuid.UUID, worker: str) -> Job | None:
    """Lease a job; None if it is done, leased, or not due."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(CLAIM, {"id": job_id, "worker": worker, "lease": LEASE_SECONDS}).fetchone()
    return Job(**row) if row else None


def extend(conn: Connection[Any], job: Job, worker: str) -> bool:
    """Extend a worker's lease by its full length from now; returns whether it was still this worker's."""
    return conn.execute(EXTEND, (LEASE_SECONDS, job.id, worker)).fetchone() is not None


def give_back(conn: Connection[Any], job: Job, worker: str, *, delay: float, error: str | None, counted: bool) -> None:
    """Free a job for a later attempt; `counted` if this one failed by its own fault."""
    conn.execute(
        GIVE_BACK,
        {"id": job.id, "worker": worker, "delay": delay, "error": error, "counted": int(counted)},
    )
    if counted:
        conn.execute(INSERT_ATTEMPT, (job.id, worker, error or ""))


def due(conn: Connection[Any]) -> list[uuid.UUID]:
    """Return jobs that nobody works on though they are due."""
    return [job for job, _ in conn.execute(SELECT_DUE).fetchall()]


def due_by_priority(conn: Connection[Any]) -> dict[int, list[uuid.UUID]]:
    """Return the same, those of each priority apart."""
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
    """Return the seconds before a whole task is tried again: 300, 600, 1200."""
    return float(300 * 2 ** (attempts - 1))
