"""Time travel: one shop replayed aside to an earlier position, in every projection, for its owner to ask.

Requests are rows of `projections.replays`. Whoever makes one holds a lock of its own until the generations stand, so a
killed process leaves it to the next. Its row is locked by nobody meanwhile: the owner may end it by asking for another.
"""

import logging
import multiprocessing
import threading
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import Connection

from projections.engine import generations
from projections.engine.applier import POISON
from projections.engine.projection import Projection
from projections.engine.replayer import Source, Worker
from projections.operations.rebuild import take_out
from projections.registry import REGISTRY

_LOOK_SECONDS, _PAUSE_SECONDS = 0.3, 5.0
logger = logging.getLogger("smartmarket.travel")

# Returns what is to be made, the oldest first.
SELECT_PENDING = """SELECT id, business_id, position FROM projections.replays
    WHERE state = 'pending' AND expires_at > now() ORDER BY created_at"""
# Returns whether nobody else is making a replay; who asks is from now on, until the connection ends.
TRY_REPLAY = "SELECT pg_try_advisory_lock(7312, hashtext(%s::text))"
# Returns whether a replay is still to be made.
SELECT_WANTED = "SELECT state = 'pending' AND expires_at > now() FROM projections.replays WHERE id = %s"
# Returns nothing; from here on the replay can be asked, or never will be. One that was ended meanwhile stays so.
FINISH = "UPDATE projections.replays SET state = %s, schemas = %s WHERE id = %s AND state = 'pending'"
# Returns nothing; what has run out is nobody's any more.
EXPIRE = "UPDATE projections.replays SET state = 'expired' WHERE state IN ('pending', 'ready') AND expires_at <= now()"


class Trip(NamedTuple):
    """One replay that was asked for."""

    id: UUID
    business: int
    position: int


class TimeTravelRunner(threading.Thread):
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
                while not self._stopped.is_set() and make_next(self._source):
                    pass
            except psycopg.Error as error:
                logger.warning("travels pause", extra={"reason": f"{type(error).__name__}: {error}"})
            except Exception:
                logger.exception("travels stand")
                self._stopped.wait(_PAUSE_SECONDS)
            self._stopped.wait(_LOOK_SECONDS)

    def stop(self) -> None:
        """End after the request at hand."""
        self._stopped.set()


def make_next(source: Source) -> bool:
    """Make the oldest replay that was asked for and nobody makes; returns whether there was one.

    Raises psycopg.Error where the database stands in the way; what the log or a rule makes impossible fails.
    """
    with source.connect() as conn:
        conn.execute(EXPIRE)
        for trip in [Trip(*row) for row in conn.execute(SELECT_PENDING).fetchall()]:
            if conn.execute(TRY_REPLAY, (trip.id,)).fetchone() == (True,) and _wanted(conn, trip):
                _make(source, conn, trip)
                conn.execute("SELECT pg_advisory_unlock_all()")  # a closed connection is noticed some moments later
                return True
    return False


def _wanted(conn: Connection[Any], trip: Trip) -> bool:
    return conn.execute(SELECT_WANTED, (trip.id,)).fetchone() == (True,)


def _make(source: Source, claim: Connection[Any], trip: Trip) -> None:
    told = {"replay": str(trip.id), "business_id": trip.business, "position": trip.position}
    try:
        schemas = [_generation(source, claim, projection, trip) for projection in REGISTRY.values()]
    except generations.GenerationCancelled:
        logger.info("replay ended while it was made", extra=told)
    except Exception as error:
        # What the database cannot do at the moment is tried again; whatever else would stop it every time.
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not isinstance(error, POISON):
            raise
        logger.exception("replay failed", extra=told)
        claim.execute(FINISH, ("failed", [], trip.id))
    else:
        claim.execute(FINISH, ("ready", schemas, trip.id))


def _generation(source: Source, claim: Connection[Any], projection: Projection, trip: Trip) -> str:
    """Replay one business into a generation of its own; returns its schema, kept from being dropped by `claim`.

    Raises Unwanted once the replay has been ended.
    """
    if not _wanted(claim, trip):
        raise generations.GenerationCancelled(trip.id)
    with source.connect() as conn:
        with conn.transaction():
            generation, schema = generations.create(
                conn, projection, state="replaying", upto=trip.position, kind="travel"
            )
            claim.execute(generations.LOCK_GENERATION, (generation,))
        worker = Worker(source, projection, schema, trip.position, multiprocessing.Value("q", 0))
        with worker.conn:
            worker.replay_to(trip.business, trip.position)
        with conn.transaction():
            generations.finish(conn, projection, schema)
            take_out(conn, projection, schema)
            generations.advance(conn, generation, "ready")
    return schema
