"""Repair: one business's rows of a projection made anew, within the generation that serves."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from projections.engine import generations
from projections.engine.progress import ProgressRecorder
from projections.engine.projection import Projection
from projections.engine.replayer import Progress, Source
from projections.operations.rebuild import Rebuilt
from projections.operations.scratch import OperationRequest, ScratchGeneration, scratch_generation, served, shown
from shared.eventstore.reader import LogReader
from shared.eventstore.system_events import GLOBAL_TOPICS

_ATTEMPTS = 4


def repair(
    source: Source,
    projection: Projection,
    business: int,
    report: Callable[[Progress], None] = lambda _: None,
    asked: int | None = None,
) -> Rebuilt:
    """Replay one business aside and put its rows in the place of those that serve, in one transaction.

    The replay holds no lock; where the business goes on meanwhile, it is replayed again, the last time under the lock.
    Raises Outdated where what serves is another version's.
    """
    began = time.monotonic()
    wish = OperationRequest("repair", business, asked=asked)
    with closing(source.connect()) as conn, scratch_generation(conn, source, projection, wish) as made:
        rows = None
        for _ in range(_ATTEMPTS):
            made.replay({business: shown(conn, served(conn, projection), business)})
            rows = _exchange(conn, made, business, anew=False)
            if rows is not None:
                break
        if rows is None:
            rows = _exchange(conn, made, business, anew=True)
        events, seconds = made.worker.folded.value, time.monotonic() - began
        account = ProgressRecorder(conn, made.generation, report)
        account.tell(Progress("replaying", 1, 1, events, seconds))
        account.conclude("completed", {"businesses": 1, "rows": rows, "events": events, "seconds": round(seconds, 3)})
        return Rebuilt(projection.name, served(conn, projection), 1, rows or 0, events, seconds, seconds)


def _exchange(conn: Connection[Any], made: ScratchGeneration, business: int, *, anew: bool) -> int | None:
    """Put the rows in place; returns how many they are, None if the business has gone on since they were made."""
    with conn.transaction():
        conn.execute(generations.LOCK_PROJECTION, (made.projection.name,))
        live = served(conn, made.projection)
        now = shown(conn, live, business)
        if anew:
            made.replay({business: now})
        reader = LogReader([*made.projection.topics, *GLOBAL_TOPICS])
        if reader.of_business(conn, business, made.worker.upto, limit=1, upto=now):
            return None
        rows = 0
        for table in made.projection.tables:
            here, there = Identifier(live, table.name), Identifier(made.schema, table.name)
            conn.execute(SQL("DELETE FROM {} WHERE business_id = %s").format(here), (business,))
            rows += conn.execute(SQL("INSERT INTO {} SELECT * FROM {}").format(here, there)).rowcount
        return rows
