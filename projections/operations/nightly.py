"""Verifies a daily sample of businesses at night, at the lowest priority and a 50 % duty cycle.

The result is recorded in the generation's row (kind `nightly`) and logged; a difference is logged as an error.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from psycopg import Connection

from projections.engine import generations
from projections.engine.applier import POISON
from projections.engine.generations import GenerationCancelled
from projections.engine.replayer import Progress, Source
from projections.operations.scratch import OperationRequest, ProjectorVersionMismatch
from projections.operations.verify import Verified, verify
from projections.registry import REGISTRY
from shared.eventstore.reader import LogReader
from shared.postgres.generation_states import GenerationKind
from shared.postgres.locks import Lock
from shared.runtime.business_day import ZONE
from shared.runtime.loop import Loop

Rest = Callable[[float], None]
_SAMPLE = 50
_POLL_SECONDS = 300.0
_MOST_REST_SECONDS = 5.0
_LEAST_PRIORITY = 19
logger = logging.getLogger("smartmarket.nightly")

# Tells by the database's clock whether it is between three and six in the morning.
SELECT_IS_NIGHT = "SELECT extract(hour FROM clock_timestamp() AT TIME ZONE %s) BETWEEN 3 AND 5"
SELECT_TODAY = "SELECT (clock_timestamp() AT TIME ZONE %s)::date::text"


class Stopped(RuntimeError):
    """The verification was stopped before its end."""


class Nightly(Loop):
    """Verifies a sample every night until stopped; of several processes one does."""

    def __init__(self, source: Source) -> None:
        """Verify the read models in the database of `source`."""
        super().__init__("nightly-verification")
        self._source = source

    def run(self) -> None:
        """Lower the priority of this thread, then repeat the step until stopped."""
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LEAST_PRIORITY)
        super().run()

    def step(self) -> None:
        """Verify if it is night; then wait five minutes."""
        try:
            with self._source.connect() as conn:
                if conn.execute(SELECT_IS_NIGHT, (ZONE,)).fetchone() == (True,):
                    verify_sample(conn, self._source, self._rest)
        except Stopped:
            logger.info("nightly verification stopped before its end")
        self.wait(_POLL_SECONDS)

    def _rest(self, seconds: float) -> None:
        if self.wait(min(seconds, _MOST_REST_SECONDS)):
            raise Stopped


def verify_sample(conn: Connection[Any], source: Source, rest: Rest = time.sleep) -> list[Verified]:
    """Verify a sample of businesses in every projection that was not verified today; returns the results.

    `rest` is called between businesses with the seconds that they took; what it raises ends the verification, which is
    then not recorded. Does nothing while another process verifies.
    """
    if conn.execute("SELECT pg_try_advisory_lock(%s, 0)", (Lock.NIGHTLY,)).fetchone() != (True,):
        return []
    try:
        done = generations.verified_today(conn, ZONE)
        sample = _sample(conn)
        return [found for name in REGISTRY if name not in done and (found := _verify(source, name, sample, rest))]
    finally:
        if not conn.broken:
            conn.execute("SELECT pg_advisory_unlock(%s, 0)", (Lock.NIGHTLY,))


def _sample(conn: Connection[Any]) -> list[int]:
    """Return some businesses, different ones every day, the same for every projection."""
    today = conn.execute(SELECT_TODAY, (ZONE,)).fetchone()
    return sorted(LogReader.businesses(conn), key=lambda b: sha256(f"{today} {b}".encode()).digest())[:_SAMPLE]


def _verify(source: Source, name: str, sample: list[int], rest: Rest) -> Verified | None:
    worked = [0.0]

    def pause(at: Progress) -> None:
        rest(at.seconds - worked[0])
        worked[0] = at.seconds

    try:
        found = verify(
            replace(source, gives_way=True), REGISTRY[name], sample, pause, OperationRequest(GenerationKind.NIGHTLY)
        )
    except ProjectorVersionMismatch:
        logger.info("nightly verification skipped: read model of another release", extra={"projection": name})
        return None
    except (*POISON, GenerationCancelled):
        logger.exception("nightly verification failed", extra={"projection": name})
        return None
    fields = {"projection": name, "businesses": found.businesses, "rows": found.rows, "differing": found.differing}
    if found.equal:
        logger.info("read model verified", extra=fields)
    else:
        first = found.differences[0]
        logger.error(
            "read model differs from the log", extra={**fields, "business_id": first.business_id, "table": first.table}
        )
    return found
