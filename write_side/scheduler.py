"""Periodic chores. Several schedulers may run: each chore can be repeated without harm."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection

from shared.eventstore.files import Files
from shared.eventstore.store import EventStore, StoreError
from shared.runtime.loop import Loop
from write_side.clock.handlers import Calendar
from write_side.identity.erasure_handlers import erase_due
from write_side.identity.login_handlers import summarise_refusals

_TICK = 5.0
logger = logging.getLogger("smartmarket.scheduler")

# Delete expired sessions, reset codes, counted refusals, unused origins, attempts, processes and unused file parts;
# shorten the addresses of requests after 90 days and delete them after 400. Then what a wrong clock dated ahead:
# sessions and refusals are deleted, jobs become due.
SWEEPS = (
    "DELETE FROM credentials.sessions WHERE expires_at < now() - interval '1 day'",
    "DELETE FROM credentials.resets WHERE expires_at < now() - interval '1 day'",
    "DELETE FROM credentials.refusals WHERE at < now() - interval '2 days'",
    "DELETE FROM credentials.origins WHERE seen_at < now() - interval '400 days'",
    """UPDATE credentials.requests SET ip = network(set_masklen(ip, CASE family(ip) WHEN 4 THEN 24 ELSE 48 END))::inet
        WHERE at < now() - interval '90 days' AND masklen(ip) = CASE family(ip) WHEN 4 THEN 32 ELSE 128 END""",
    "DELETE FROM credentials.requests WHERE at < now() - interval '400 days'",
    "DELETE FROM jobs.attempts WHERE at < now() - interval '90 days'",
    "DELETE FROM jobs.processes WHERE seen_at < now() - interval '1 hour'",
    """DELETE FROM files.parts p WHERE stored_at < now() - interval '1 day' AND NOT EXISTS (
        SELECT 1 FROM log.events e
        WHERE e.originator_id IN ('upload-' || p.file_id, 'receipt-' || p.file_id))""",
    """DELETE FROM files.parts p WHERE EXISTS (SELECT 1 FROM log.events e WHERE e.topic = 'storage.FileDeleted'
        AND e.originator_id IN ('upload-' || p.file_id, 'receipt-' || p.file_id))""",
    """DELETE FROM files.parts p WHERE EXISTS (SELECT 1 FROM log.events e
        WHERE e.topic = 'identity.BusinessErased' AND e.originator_id = 'business-' || p.business_id)""",
    "DELETE FROM credentials.sessions WHERE issued_at > log.clock() + interval '1 hour'",
    "DELETE FROM credentials.refusals WHERE at > now() + interval '1 minute'",
    "DELETE FROM jobs.clocks WHERE seen_at < now() - interval '30 days'",
    "DELETE FROM jobs.processes WHERE seen_at > now() + interval '1 minute'",
    "UPDATE jobs.jobs SET run_after = now() WHERE run_after > now() + interval '1 day'",
    "UPDATE jobs.jobs SET leased_until = now() WHERE leased_until > now() + interval '1 hour'",
)


@dataclass
class _Chore:
    name: str
    every: float
    run: Callable[[], object]
    due: float = 0.0


class Scheduler(Loop):
    """Runs each chore when it is due, until stopped."""

    transient = (*Loop.transient, StoreError)

    def __init__(
        self,
        store: EventStore,
        files: Files,
        connect: Callable[[], Connection[Any]],
        drop_generations: Callable[[], Sequence[str]],
    ) -> None:
        """Delete rows over connections from `connect`; `drop_generations` drops read models that no longer serve."""
        super().__init__("scheduler")
        self._connect = connect
        self._chores = [
            _Chore("summarise refused logins", 60.0, lambda: summarise_refusals(store)),
            _Chore("drop retired generations", 15.0, drop_generations),
            _Chore("delete expired rows", 300.0, self._sweep),
            _Chore("erase businesses", 60.0, lambda: erase_due(store, files)),
            _Chore("open the day", _TICK, Calendar(store)),
        ]

    def step(self) -> None:
        """Run the chores that are due; one that fails runs again when it is due next."""
        for chore in self._chores:
            if time.monotonic() >= chore.due and not self.stopping:
                chore.due = time.monotonic() + chore.every
                try:
                    chore.run()
                except (psycopg.Error, StoreError):
                    logger.exception("chore failed; retrying", extra={"chore": chore.name})
        self.wait(_TICK)

    def _sweep(self) -> None:
        with self._connect() as conn:
            for statement in SWEEPS:
                conn.execute(statement)
