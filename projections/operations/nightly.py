"""Every night some shops are verified, others each time, quietly: by a slow thread that rests as long as it works.

What it finds stands in the generation's row (`kind` nightly) and is told to the log of the process; a difference is an
error there.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import psycopg
from psycopg import Connection

from projections.engine.applier import POISON
from projections.engine.generations import GenerationCancelled
from projections.engine.replayer import Progress, Source
from projections.operations.scratch import OperationRequest, ProjectorVersionMismatch
from projections.operations.verify import Verified, verify
from projections.registry import REGISTRY
from shared.eventstore.reader import LogReader

Rest = Callable[[float], None]
_SAMPLE = 50
_LOOK_SECONDS = 300.0
_MOST_REST_SECONDS = 5.0
_LEAST_PRIORITY = 19
_ALONE = 7311
logger = logging.getLogger("smartmarket.nightly")

# Returns whether it is night in Dhaka, from three to six, by the database's clock.
IS_NIGHT = "SELECT extract(hour FROM clock_timestamp() AT TIME ZONE 'Asia/Dhaka') BETWEEN 3 AND 5"
# Returns the projections that were verified today.
SELECT_DONE = """SELECT DISTINCT projection FROM projections.generations WHERE kind = 'nightly' AND state = 'completed'
    AND (created_at AT TIME ZONE 'Asia/Dhaka')::date = (clock_timestamp() AT TIME ZONE 'Asia/Dhaka')::date"""
# Returns the date in Dhaka.
SELECT_TODAY = "SELECT (clock_timestamp() AT TIME ZONE 'Asia/Dhaka')::date::text"


class Stopped(RuntimeError):
    """The verification was told to end before it was through."""


class Nightly(threading.Thread):
    """Verifies a sample every night, until stopped; of several, one does."""

    def __init__(self, source: Source) -> None:
        """Verify the read models in the database of `source`."""
        super().__init__(name="nightly", daemon=True)
        self._source = source
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look every five minutes whether it is time."""
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LEAST_PRIORITY)
        while not self._stopped.is_set():
            try:
                with self._source.connect() as conn:
                    if conn.execute(IS_NIGHT).fetchone() == (True,):
                        verify_sample(conn, self._source, self._rest)
            except Stopped:
                logger.info("nightly verification ends early")
            except psycopg.Error as error:
                logger.warning("nightly verification pauses", extra={"reason": f"{type(error).__name__}: {error}"})
            except Exception:
                logger.exception("nightly verification stands")
            self._stopped.wait(_LOOK_SECONDS)

    def stop(self) -> None:
        """End after the shops at hand; what is not through by then is not recorded as verified."""
        self._stopped.set()

    def _rest(self, seconds: float) -> None:
        if self._stopped.wait(min(seconds, _MOST_REST_SECONDS)):
            raise Stopped


def verify_sample(conn: Connection[Any], source: Source, rest: Rest = time.sleep) -> list[Verified]:
    """Verify a sample of shops in every projection that has not been verified today; returns what was found.

    `rest` is called between shops with the seconds that they took; what it raises ends the verification, which is then
    not recorded. Another process at it goes first.
    """
    if conn.execute("SELECT pg_try_advisory_lock(%s, 0)", (_ALONE,)).fetchone() != (True,):
        return []
    try:
        done = {name for (name,) in conn.execute(SELECT_DONE).fetchall()}
        sample = _sample(conn)
        return [found for name in REGISTRY if name not in done and (found := _verify(source, name, sample, rest))]
    finally:
        if not conn.broken:
            conn.execute("SELECT pg_advisory_unlock(%s, 0)", (_ALONE,))


def _sample(conn: Connection[Any]) -> list[int]:
    """Return some businesses, others every day, the same for every projection."""
    today = conn.execute(SELECT_TODAY).fetchone()
    return sorted(LogReader.businesses(conn), key=lambda b: sha256(f"{today} {b}".encode()).digest())[:_SAMPLE]


def _verify(source: Source, name: str, sample: list[int], rest: Rest) -> Verified | None:
    worked = [0.0]

    def pause(at: Progress) -> None:
        rest(at.seconds - worked[0])
        worked[0] = at.seconds

    try:
        found = verify(replace(source, gives_way=True), REGISTRY[name], sample, pause, OperationRequest("nightly"))
    except ProjectorVersionMismatch:
        logger.info("read model of another release is not verified", extra={"projection": name})
        return None
    except (*POISON, GenerationCancelled):
        logger.exception("nightly verification failed", extra={"projection": name})
        return None
    told = {"projection": name, "businesses": found.businesses, "rows": found.rows, "differing": found.differing}
    if found.equal:
        logger.info("read model verified", extra=told)
    else:
        first = found.differences[0]
        logger.error(
            "read model differs from the log", extra={**told, "business_id": first.business_id, "table": first.table}
        )
    return found
