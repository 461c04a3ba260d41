"""What time calls for: chores that any number of schedulers may run, one at a time."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection

from shared.eventstore.store import EventStore, StoreError
from write_side.clock.handlers import open_day
from write_side.identity.login_handlers import summarise_refusals

_TICK = 5.0
logger = logging.getLogger("smartmarket.scheduler")

# Returns nothing; sessions and codes that have run out, refusals nobody counts any more, the end of addresses that
# requests came from and then all of them, processes long gone.
SWEEPS = (
    "DELETE FROM credentials.sessions WHERE expires_at < now() - interval '1 day'",
    "DELETE FROM credentials.resets WHERE expires_at < now() - interval '1 day'",
    "DELETE FROM credentials.refusals WHERE at < now() - interval '2 days'",
    """UPDATE credentials.requests SET ip = network(set_masklen(ip, CASE family(ip) WHEN 4 THEN 24 ELSE 48 END))::inet
        WHERE at < now() - interval '90 days' AND masklen(ip) = CASE family(ip) WHEN 4 THEN 32 ELSE 128 END""",
    "DELETE FROM credentials.requests WHERE at < now() - interval '400 days'",
    "DELETE FROM jobs.attempts WHERE at < now() - interval '90 days'",
    "DELETE FROM jobs.processes WHERE seen_at < now() - interval '1 hour'",
    """DELETE FROM files.parts p WHERE stored_at < now() - interval '1 day' AND NOT EXISTS (
        SELECT 1 FROM log.events e
        WHERE e.originator_id IN ('upload-' || p.file_id, 'receipt-' || p.file_id))""",
)


@dataclass
class _Chore:
    every: float
    run: Callable[[], object]
    due: float = 0.0


class Scheduler:
    """Runs chores until stopped."""

    def __init__(
        self, store: EventStore, connect: Callable[[], Connection[Any]], drop_generations: Callable[[], Sequence[str]]
    ) -> None:
        """Sweep over connections from `connect`; `drop_generations` drops read models that serve no more."""
        self._connect = connect
        self._stopped = threading.Event()
        self._chores = [
            _Chore(60.0, lambda: summarise_refusals(store)),
            _Chore(15.0, drop_generations),
            _Chore(300.0, self._sweep),
            _Chore(_TICK, lambda: open_day(store)),
        ]

    def stop(self) -> None:
        """End after the chore at hand."""
        self._stopped.set()

    def run(self) -> None:
        """Run what is due until stopped; a chore that fails is tried again when it is due next."""
        while not self._stopped.is_set():
            for chore in self._chores:
                if time.monotonic() >= chore.due:
                    chore.due = time.monotonic() + chore.every
                    try:
                        chore.run()
                    except (psycopg.Error, StoreError):
                        logger.exception("chore failed")
            self._stopped.wait(_TICK)

    def _sweep(self) -> None:
        with self._connect() as conn:
            for statement in SWEEPS:
                conn.execute(statement)
