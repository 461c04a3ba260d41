"""Time travel: one business is replayed to an earlier position, in every projection, for its owner to query.

With a date, only the entries of its books up to that business date are folded (`projections/engine/books.py`).

Requests are rows of `projections.replays`; this module and the SQL functions `projections.request_replay` and
`projections.expire_replays` are its only writers. A process that makes one holds a lock until its generations are
ready, so that the next process takes up what a killed one left. The row itself is not locked meanwhile: the owner may
end it by requesting another replay.
"""

import datetime as dt
import logging
import multiprocessing
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import Connection

from projections.engine import generation_schemas, generations
from projections.engine.applier import POISON
from projections.engine.books import Books
from projections.engine.generations import GenerationCancelled, Origin, with_states
from projections.engine.projection import Projection
from projections.engine.replayer import Source, Target, Worker
from projections.operations.rebuild import apply_removals
from projections.registry import REGISTRY
from shared.eventstore.reader import LogReader
from shared.postgres.generation_states import GenerationKind, GenerationState, ReplayState
from shared.postgres.locks import Lock
from shared.runtime.loop import Loop

_POLL_SECONDS = 0.3
_CHUNK = 100
logger = logging.getLogger("smartmarket.time_travel")

SELECT_PENDING = with_states("""SELECT id, business_id, position, happened_until, coalesce(rules_position, position)
    FROM projections.replays
    WHERE state = {replay_pending} AND expires_at > now() ORDER BY created_at""")
# Takes the lock of the replaying session, until it ends; returns false while another session holds it.
TRY_REPLAY = "SELECT pg_try_advisory_lock(%s, hashtext(%s::text))"
SELECT_STILL_PENDING = with_states("""SELECT state = {replay_pending} AND expires_at > now()
    FROM projections.replays WHERE id = %s""")
# Records the result, unless the replay expired meanwhile.
FINISH = with_states("""UPDATE projections.replays SET state = %s, schemas = %s, books_begin = %s
    WHERE id = %s AND state = {replay_pending}""")
EXPIRE = with_states("""UPDATE projections.replays SET state = {replay_expired}
    WHERE state IN ({replay_pending}, {replay_ready}) AND expires_at <= now()""")


class Replay(NamedTuple):
    """A requested replay: to a position and, unless it is None, a business date; rules are those of their position."""

    id: UUID
    business: int
    position: int
    happened_until: dt.date | None
    rules_position: int


class TimeTravelRunner(Loop):
    """Makes the replays that owners request, until stopped."""

    def __init__(self, source: Source) -> None:
        """Replay from and into the database of `source`."""
        super().__init__("time-travel")
        self._source = source

    def step(self) -> None:
        """Make the next replay, or wait for a request."""
        if not make_next(self._source):
            self.wait(_POLL_SECONDS)


def make_next(source: Source) -> bool:
    """Make the oldest requested replay that no other process makes; returns whether there was one.

    Raises psycopg.Error where the database is the cause; a replay that the log or a rule makes impossible fails.
    """
    with source.connect() as conn:
        conn.execute(EXPIRE)
        for replay in [Replay(*row) for row in conn.execute(SELECT_PENDING).fetchall()]:
            locked = conn.execute(TRY_REPLAY, (Lock.REPLAY, replay.id)).fetchone() == (True,)
            if locked and _still_pending(conn, replay):
                _make(source, conn, replay)
                conn.execute("SELECT pg_advisory_unlock_all()")  # the server notices a closed connection late
                return True
    return False


def _still_pending(conn: Connection[Any], replay: Replay) -> bool:
    return conn.execute(SELECT_STILL_PENDING, (replay.id,)).fetchone() == (True,)


def _make(source: Source, claim: Connection[Any], replay: Replay) -> None:
    fields = {"replay": str(replay.id), "business_id": replay.business, "position": replay.position}
    try:
        books = _books(claim, replay)
        made = [_generation(source, claim, projection, replay, books) for projection in REGISTRY.values()]
    except GenerationCancelled:
        logger.info("replay cancelled", extra=fields)
    except Exception as error:
        # A database that is down is retried; any other error would repeat.
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not isinstance(error, POISON):
            raise
        logger.exception("replay failed", extra=fields)
        claim.execute(FINISH, (ReplayState.FAILED.value, [], None, replay.id))
    else:
        claim.execute(FINISH, (ReplayState.READY.value, made, books and books.begin, replay.id))


def _books(conn: Connection[Any], replay: Replay) -> Books | None:
    """Return what cuts the history to the wanted business date, None where the replay has none."""
    if replay.happened_until is None:
        return None
    books, reader, after = Books(replay.happened_until, replay.rules_position), LogReader(Books.topics()), 0
    while events := reader.of_business(conn, replay.business, after, limit=_CHUNK, upto=replay.position):
        after = events[-1].position
        books.read(events)
    return books


def _generation(
    source: Source, claim: Connection[Any], projection: Projection, replay: Replay, books: Books | None
) -> str:
    """Replay one business into a generation of its own; returns its schema, which the lock of `claim` keeps.

    Raises GenerationCancelled once the replay has expired.
    """
    if not _still_pending(claim, replay):
        raise GenerationCancelled(replay.id)
    with source.connect() as conn:
        with conn.transaction():
            generation, schema = generation_schemas.create(
                conn, projection, Origin(GenerationKind.TRAVEL, upto=replay.position)
            )
            generations.lock(claim, generation)
        worker = Worker(Target(source, projection, schema, replay.position), multiprocessing.Value("q", 0))
        worker.books = books
        with worker.conn:
            worker.replay_to(replay.business, replay.position)
        with conn.transaction():
            generation_schemas.finish(conn, projection, schema)
            apply_removals(conn, projection, schema)
            generations.advance(conn, generation, GenerationState.READY)
    return schema
