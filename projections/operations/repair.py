"""Repair: one business's rows of a projection are replayed and replaced in the generation that serves."""

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
from shared.eventstore.system_events import GLOBAL_TOPICS, BusinessErased
from shared.postgres.generation_states import GenerationKind, GenerationState

_ATTEMPTS = 4


def repair(
    source: Source,
    projection: Projection,
    business: int,
    report: Callable[[Progress], None] = lambda _: None,
    requested: int | None = None,
) -> Rebuilt:
    """Replay one business into a scratch generation and replace its serving rows, in one transaction.

    The replay holds no lock; if the business changes meanwhile it is replayed again, the last time under the lock.
    Raises ProjectorVersionMismatch.
    """
    began = time.monotonic()
    request = OperationRequest(GenerationKind.REPAIR, business, requested=requested)
    with closing(source.connect()) as conn, scratch_generation(conn, source, projection, request) as made:
        rows = None
        for _ in range(_ATTEMPTS):
            made.replay({business: shown(conn, served(conn, projection), business)})
            rows = _exchange(conn, made, business)
            if rows is not None:
                break
        if rows is None:
            rows = _exchange(conn, made, business, under_lock=True)
        events, seconds = made.worker.folded.value, time.monotonic() - began
        recorder = ProgressRecorder(conn, made.generation, report)
        recorder.record(Progress(GenerationState.REPLAYING, 1, 1, events, seconds))
        result = {"businesses": 1, "rows": rows, "events": events, "seconds": round(seconds, 3)}
        recorder.complete(GenerationState.COMPLETED, result)
        return Rebuilt(projection.name, served(conn, projection), 1, rows or 0, events, seconds, seconds)


def _exchange(conn: Connection[Any], made: ScratchGeneration, business: int, *, under_lock: bool = False) -> int | None:
    """Replace the rows; returns their number, None if the business has newer events than were replayed."""
    with conn.transaction():
        generations.lock_projection(conn, made.projection.name)
        live = served(conn, made.projection)
        now = shown(conn, live, business)
        if under_lock:
            made.replay({business: now})
        reader = LogReader([*made.projection.topics, BusinessErased.topic, *GLOBAL_TOPICS])
        if reader.of_business(conn, business, made.worker.upto, limit=1, upto=now):
            return None
        rows = 0
        for table in made.projection.tables:
            here, there = Identifier(live, table.name), Identifier(made.schema, table.name)
            conn.execute(SQL("DELETE FROM {} WHERE business_id = %s").format(here), (business,))
            rows += conn.execute(SQL("INSERT INTO {} SELECT * FROM {}").format(here, there)).rowcount
        return rows
