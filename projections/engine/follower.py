"""Follows the log and keeps the serving generation of each projection up to date.

Shards are owned by session advisory locks on the writing connection, so any number of projector processes may run: each
takes its fair share, and the shards of a killed one are free at once.
"""

import math
import time
from collections.abc import Sequence
from typing import Any, cast

import psycopg
from psycopg import Connection

from projections.engine import generations
from projections.engine.applier import DERIVING_TOPICS, Applier, Fenced
from projections.engine.projection import Projection
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.listener import LogListener
from shared.eventstore.system_events import ParkedBusinessRetried
from shared.eventstore.vault import MasterKey
from shared.postgres.database import PROJECTOR, SHARDS
from shared.postgres.locks import Lock
from shared.runtime.loop import Loop

_BATCH = 24
_REBALANCE_SECONDS = 1.0

# Counts the processes that follow a generation.
COUNT_MEMBERS = """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s
    AND objsubid = 2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def connect(url: str, *, role: str | None) -> Connection[Any]:
    """Open a connection that writes read models."""
    options = f"-c role={role}" if role else ""
    return psycopg.connect(url, autocommit=True, application_name="smartmarket-projector", options=options)


class Shards:
    """The shards of one generation that this connection owns."""

    def __init__(self, conn: Connection[Any], generation: int) -> None:
        """Join the processes that follow the generation."""
        self._conn = conn
        self._generation = generation
        self.owned: set[int] = set()
        self._balanced_at = -math.inf
        conn.execute("SELECT pg_advisory_lock_shared(%s, %s)", (Lock.FOLLOWERS, generation))

    def rebalance(self) -> bool:
        """Take or release shards until the share is fair, once a second; returns whether anything changed."""
        if time.monotonic() < self._balanced_at + _REBALANCE_SECONDS:
            return False
        self._balanced_at = time.monotonic()
        before = set(self.owned)
        members = self._scalar(COUNT_MEMBERS, (Lock.FOLLOWERS, self._generation))
        share = math.ceil(SHARDS / max(members, 1))
        for shard in sorted(self.owned)[share:]:
            self._conn.execute("SELECT pg_advisory_unlock(%s, %s)", (Lock.SHARD, self._key(shard)))
            self.owned.discard(shard)
        for shard in range(SHARDS):
            if len(self.owned) >= share:
                break
            if shard not in self.owned and self._scalar(
                "SELECT pg_try_advisory_lock(%s, %s)", (Lock.SHARD, self._key(shard))
            ):
                self.owned.add(shard)
        return self.owned != before

    def leave(self) -> None:
        """Release all shards and leave the processes that follow the generation."""
        self._conn.execute("SELECT pg_advisory_unlock_all()")
        self.owned.clear()

    def _key(self, shard: int) -> int:
        return self._generation * SHARDS + shard

    def _scalar(self, query: Any, params: tuple[int, ...]) -> int:  # noqa: ANN401 - one of the statements above
        return cast("int", cast("tuple[Any, ...]", self._conn.execute(query, params).fetchone())[0])


class Follower(Loop):
    """Follows the log for one projection until stopped."""

    transient = (*Loop.transient, Fenced)

    def __init__(
        self,
        url: str,
        projection: Projection,
        master: MasterKey,
        listener: LogListener,
        *,
        role: str | None = PROJECTOR,
    ) -> None:
        """Write to the database at `url`; `listener` wakes it when the log has grown."""
        super().__init__(f"projector-{projection.name}")
        self._url = url
        self._projection = projection
        self._master = master
        self._listener = listener
        self._role = role

    def step(self) -> None:
        """Follow over a new connection until another generation serves or the connection breaks."""
        with connect(self._url, role=self._role) as conn:
            self._follow(conn)

    def _follow(self, conn: Connection[Any]) -> None:
        serving = generations.live(conn, self._projection.name)
        if serving is None or serving[2] != self._projection.version:
            self.wait(1.0)
            return
        generation, schema, _ = serving
        shards = Shards(conn, generation)
        applier = Applier(conn, self._projection, schema, self._master)
        checkpoints: dict[int, int] = {}
        while not self.stopping:
            mark = self._listener.seen()
            if shards.rebalance():
                checkpoints = applier.positions(sorted(shards.owned))
                for business in [b for b in applier.parked if b % SHARDS in shards.owned]:
                    self._retry(conn, applier, schema, business)
            batch = applier.reader.after(conn, min(checkpoints.values()), limit=_BATCH) if checkpoints else []
            moved = self._apply(conn, applier, schema, checkpoints, batch) if batch else None
            if moved is not None:
                checkpoints = moved
                for business in [b for b in applier.parked if b in _retried(batch) and b % SHARDS in shards.owned]:
                    self._retry(conn, applier, schema, business)
            elif not self._serves(conn, schema):
                shards.leave()
                return
            if len(batch) < _BATCH:  # the end of the log, unless something was appended since the mark
                self._listener.wait(mark)

    def _retry(self, conn: Connection[Any], applier: Applier, schema: str, business: int) -> None:
        """Retry a parked business under the same lock: not while its rows are replaced or another generation serves."""
        with conn.transaction():
            if conn.execute(generations.SHARE_PROJECTION, (self._projection.name,)).fetchone() == (schema,):
                applier.retry(business)

    def _apply(
        self,
        conn: Connection[Any],
        applier: Applier,
        schema: str,
        checkpoints: dict[int, int],
        batch: Sequence[RecordedEvent],
    ) -> dict[int, int] | None:
        """Apply a batch under the projection's shared lock; None if the pointer has moved."""
        moved: dict[int, int] = {}
        for shards in _together(batch, checkpoints):
            with conn.transaction():
                if conn.execute(generations.SHARE_PROJECTION, (self._projection.name,)).fetchone() != (schema,):
                    return None
                moved |= applier.apply(batch, shards)
        return moved

    def _serves(self, conn: Connection[Any], schema: str) -> bool:
        serving = generations.live(conn, self._projection.name)
        return serving is not None and serving[1] == schema


def _retried(batch: Sequence[RecordedEvent]) -> set[int | None]:
    """Return the businesses that an operator wants to be retried."""
    return {recorded.business_id for recorded in batch if recorded.topic == ParkedBusinessRetried.topic}


def _together(batch: Sequence[RecordedEvent], checkpoints: dict[int, int]) -> list[dict[int, int]]:
    """Return the shards of each transaction: all in one, but one each where every row may change."""
    if any(r.topic in DERIVING_TOPICS and r.state is not None for r in batch):
        return [{shard: position} for shard, position in checkpoints.items()]
    return [checkpoints]
