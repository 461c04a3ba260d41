"""Time travel: one shop replayed aside to an earlier position, in every projection, for its owner to ask.

Requests are rows of `projections.replays`. Whoever claims one keeps its row locked until the generations stand, so a
killed process leaves it to the next.
"""

import logging
import multiprocessing
import threading
from typing import Any

import psycopg
from psycopg import Connection

from projections import generations
from projections.applying import POISON
from projections.projection import Projection
from projections.rebuild import take_out
from projections.registry import REGISTRY
from projections.replay import Source, Worker

_LOOK_SECONDS = 0.3
logger = logging.getLogger("smartmarket.travel")

# Returns the oldest request that nobody works at.
CLAIM = """SELECT id, business_id, position FROM projections.replays WHERE state = 'pending' AND expires_at > now()
    ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED"""
# Returns nothing; from here on the replay can be asked, or never will be.
FINISH = "UPDATE projections.replays SET state = %s, schemas = %s WHERE id = %s"
# Returns nothing; what has run out is nobody's any more.
EXPIRE = "UPDATE projections.replays SET state = 'expired' WHERE state IN ('pending', 'ready') AND expires_at <= now()"


class Travels(threading.Thread):
    """Makes the generations that owners ask for, until stopped."""

    def __init__(self, source: Source) -> None:
        """Replay from and into the database of `source`."""
        super().__init__(name="travels", daemon=True)
        self._source = source
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look for requests until stopped, beginning again after every broken connection."""
        while not self._stopped.is_set():
            try:
                while make_next(self._source):
                    pass
            except psycopg.Error as error:
                logger.warning("travels pause", extra={"reason": f"{type(error).__name__}: {error}"})
            self._stopped.wait(_LOOK_SECONDS)

    def stop(self) -> None:
        """End after the request at hand."""
        self._stopped.set()


def make_next(source: Source) -> bool:
    """Make the oldest replay that was asked for; returns whether there was one."""
    with source.connect() as conn, conn.transaction():
        conn.execute(EXPIRE)
        row = conn.execute(CLAIM).fetchone()
        if row is None:
            return False
        replay, business, position = row
        try:
            schemas = [_make(source, conn, projection, business, position) for projection in REGISTRY.values()]
        except POISON:
            logger.exception("replay failed", extra={"business_id": business, "position": position})
            conn.execute(FINISH, ("failed", [], replay))
        else:
            conn.execute(FINISH, ("ready", schemas, replay))
        return True


def _make(source: Source, claim: Connection[Any], projection: Projection, business: int, position: int) -> str:
    """Replay one business into a generation of its own; returns its schema, kept from being dropped by `claim`."""
    with source.connect() as conn:
        with conn.transaction():
            generation, schema = generations.create(conn, projection, state="replaying", upto=position, kind="travel")
            claim.execute(generations.LOCK_GENERATION, (generation,))
        worker = Worker(source, projection, schema, position, multiprocessing.Value("q", 0))
        with worker.conn:
            worker.replay_to(business, position)
        with conn.transaction():
            generations.finish(conn, projection, schema)
            take_out(conn, projection, schema)
    return schema
