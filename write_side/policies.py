"""The policies process: follows the log, turns events into jobs, and repeats wake-ups for jobs that are due."""

import functools
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec
from psycopg import Connection

from shared.discovery import collected
from shared.eventstore.catalogue import CATALOGUE
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from shared.eventstore.listener import LogListener
from shared.eventstore.reader import LogReader
from shared.jobs import queue
from shared.jobs.job import NewJob, Outcome
from shared.jobs.wakeups import Publisher
from shared.runtime.loop import Loop

Policy = Callable[[RecordedEvent, Any], list[NewJob | Outcome]]


@functools.cache
def policies() -> Mapping[type[Event], Sequence[Policy]]:
    """Return the policies for each event, collected from the domains."""
    domains: list[dict[type[Event], Policy]] = collected("write_side", "policy", "POLICIES", dict)
    return {event: [d[event] for d in domains if event in d] for domain in domains for event in domain}


_BATCH = 200
_SWEEP_SECONDS = 5.0
_NAME = "jobs"
logger = logging.getLogger("smartmarket.policies")

# Selects the policies' checkpoint and locks it against other policies processes until the commit.
LOCK_POSITION = "SELECT position FROM jobs.progress WHERE policy = %s FOR UPDATE"
# Keeps an unreadable event for a later release.
LEAVE_UNREAD = "INSERT INTO jobs.unread VALUES (%s, %s) ON CONFLICT DO NOTHING"
# Selects the positions of unread events and locks them against other policies processes until the commit.
LOCK_UNREAD = "SELECT position FROM jobs.unread ORDER BY position FOR UPDATE SKIP LOCKED"
FORGET_UNREAD = "DELETE FROM jobs.unread WHERE position = %s"


class Policies(Loop):
    """Turns events into jobs until stopped."""

    def __init__(self, connect: Callable[[], Connection[Any]], publisher: Publisher, listener: LogListener) -> None:
        """Write jobs over connections from `connect`; `listener` wakes this loop, `publisher` wakes workers."""
        super().__init__("policies")
        self._connect = connect
        self._publisher = publisher
        self._listener = listener
        self._reader = LogReader([event.topic for event in policies()])
        self._swept_at = 0.0

    def run(self) -> None:
        """Follow the log until stopped, then close the publisher."""
        try:
            super().run()
        finally:
            self._publisher.close()

    def step(self) -> None:
        """Follow the log over one connection, until stopped or the connection breaks."""
        with self._connect() as conn:
            conn.execute("INSERT INTO jobs.progress VALUES (%s, 0) ON CONFLICT DO NOTHING", (_NAME,))
            self.retry_unread(conn)
            self._follow(conn)

    def _follow(self, conn: Connection[Any]) -> None:
        while not self.stopping:
            mark = self._listener.seen()
            more = self.advance(conn)
            if time.monotonic() > self._swept_at + _SWEEP_SECONDS:
                self._swept_at = time.monotonic()
                self._publisher.take_back()  # otherwise every sweep would add another wake-up per job of a backlog
                self._announce(queue.due_by_priority(conn))
            if not more:
                self._listener.wait(mark)

    def advance(self, conn: Connection[Any]) -> bool:
        """Turn the next events into jobs and move the checkpoint, in one transaction; returns whether there were."""
        with conn.transaction():
            row = conn.execute(LOCK_POSITION, (_NAME,)).fetchone()
            batch = self._reader.after(conn, cast("tuple[int]", row)[0], limit=_BATCH)
            if not batch:
                return False
            decided = [(r, _decisions(r)) for r in batch if r.state is not None or r.topic not in CATALOGUE]
            due = queue.record(conn, [decision for _, called_for in decided for decision in called_for or ()])
            for recorded in (r for r, called_for in decided if called_for is None):
                conn.execute(LEAVE_UNREAD, (recorded.position, recorded.topic))
            conn.execute("UPDATE jobs.progress SET position = %s WHERE policy = %s", (batch[-1].position, _NAME))
        self._announce(due)
        return True

    def retry_unread(self, conn: Connection[Any]) -> None:
        """Turn the events that an earlier release could not read into jobs."""
        with conn.transaction():
            for (position,) in conn.execute(LOCK_UNREAD).fetchall():
                (recorded,) = self._reader.after(conn, position - 1, limit=1)
                called_for = _decisions(recorded) if recorded.topic in CATALOGUE else None
                if called_for is not None:
                    queue.record(conn, called_for)  # the sweep announces them
                    conn.execute(FORGET_UNREAD, (position,))

    def _announce(self, due: Mapping[int, list[uuid.UUID]]) -> None:
        for priority, ids in due.items():
            self._publisher.send(ids, priority)


def _decisions(recorded: RecordedEvent) -> list[NewJob | Outcome] | None:
    """Return the jobs that an event starts or ends; None, with a critical log entry, if it cannot be read."""
    try:
        called = policies().get(CATALOGUE[recorded.topic], ())
        event = recorded.event if called else None
        return [decision for policy in called for decision in policy(recorded, event)]
    except (msgspec.MsgspecError, LookupError, TypeError, ValueError):
        logger.critical(
            "event unreadable by this release; its jobs are created by a release that can read it",
            extra={"position": recorded.position, "topic": recorded.topic, "business_id": recorded.business_id},
            exc_info=True,
        )
        return None
