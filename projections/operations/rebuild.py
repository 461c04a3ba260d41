"""Rebuild and roll back: a new generation, or one that served before, catches up and then serves."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from projections.engine import generation_schemas, generations
from projections.engine.applier import POISON, Applier
from projections.engine.generations import Origin
from projections.engine.progress import ProgressRecorder
from projections.engine.projection import Projection
from projections.engine.replayer import ASYNCHRONOUS_COMMITS, Progress, Source, Target, replay_all
from projections.engine.writers import recompute_after_removal
from shared.eventstore.reader import LogReader
from shared.eventstore.vault import MasterKey
from shared.postgres.database import SHARDS
from shared.postgres.generation_states import GenerationState
from shared.postgres.locks import Lock
from shared.runtime.room_for_readers import room_for_readers

# Events per batch while catching up; the last _TAIL events or fewer are applied under the projection's lock.
_STRIDE, _TAIL = 200, 50
SELECT_HEAD = "SELECT coalesce(max(notification_id), 0) FROM log.events"
COUNT_ROWS = "SELECT coalesce(sum(rows), 0)::bigint FROM {}"
# Deletes the inserted rows of a table that later events removed.
DELETE_REMOVED = """DELETE FROM {} AS t USING {} AS r
    WHERE r.relation = %s AND (t.business_id, t.id) = (r.business_id, r.id)"""


class RebuildRunning(RuntimeError):
    """Another process rebuilds this projection."""


class NothingBefore(RuntimeError):
    """No generation that served before exists any more."""


@dataclass(frozen=True)
class Rebuilt:
    """The result of a rebuild: the schema that serves now, rows written, and the seconds of the replay itself."""

    projection: str
    schema: str
    businesses: int
    rows: int
    events: int
    replay_seconds: float
    seconds: float


class Building(NamedTuple):
    """A generation that is being built: its id, schema and state, and the position it replays to."""

    generation: int
    schema: str
    state: str
    upto: int


def rebuild(
    source: Source, projection: Projection, *, workers: int = 2, report: Callable[[Progress], None] = lambda _: None
) -> Rebuilt:
    """Replay a projection into a new generation, let it catch up, and point to it; readers are not interrupted.

    Resumes an interrupted rebuild. Raises RebuildRunning while another process rebuilds the same projection,
    GenerationCancelled where the generation is dropped before it serves.
    """
    began = time.monotonic()
    with source.connect() as conn, _alone(conn, projection.name), room_for_readers(source.connect):
        building = _begin(conn, projection)
        recorder = ProgressRecorder(conn, building.generation, report)
        businesses = LogReader.businesses(conn)
        events = 0
        if building.state == GenerationState.REPLAYING:
            target = Target(replace(source, gives_way=True), projection, building.schema, building.upto)
            events = _replay(conn, target, businesses, workers, recorder)
            _complete(conn, target, building.generation, workers)
        replayed = time.monotonic() - began
        recorder.record(Progress(GenerationState.CATCHING_UP, len(businesses), len(businesses), events, replayed))
        _catch_up(conn, source, projection, building.generation, building.schema)
        ((rows,),) = conn.execute(SQL(COUNT_ROWS).format(Identifier(building.schema, "replayed"))).fetchall()
        seconds = time.monotonic() - began
        return Rebuilt(projection.name, building.schema, len(businesses), rows, events, replayed, seconds)


def roll_back(source: Source, projection: Projection, generation: int | None = None) -> str:
    """Let the given generation, or the one that served last, catch up and point back to it; returns its schema.

    Raises NothingBefore if none of this projector's version exists, RebuildRunning while one is being made,
    GenerationCancelled where it is dropped meanwhile.
    """
    with source.connect() as conn, _alone(conn, projection.name):
        try:
            revived = generations.revive(conn, projection, generation)
        except psycopg.errors.UniqueViolation:  # a rebuild is requested or was interrupted
            raise RebuildRunning(projection.name) from None
        if revived is None:
            raise NothingBefore(projection.name)
        _catch_up(conn, source, projection, *revived)
        return revived[1]


@contextmanager
def _alone(conn: Connection[Any], name: str) -> Iterator[None]:
    """Prevent other rebuilds of a projection; raises RebuildRunning where one is in progress."""
    row = conn.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (Lock.REBUILD, name)).fetchone()
    if not cast("tuple[bool]", row)[0]:
        raise RebuildRunning(name)
    try:
        yield
    finally:
        # The server notices a closed connection late: without this the next rebuild would be refused.
        with suppress(psycopg.Error):
            conn.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (Lock.REBUILD, name))


def _begin(conn: Connection[Any], projection: Projection) -> Building:
    """Resume the interrupted rebuild, or begin the requested or a new one."""
    with conn.transaction():
        found = generations.unfinished(conn, projection.name)
        pending = found is not None and found.state == GenerationState.PENDING
        if found and found.served and found.requested:
            raise RebuildRunning(projection.name)
        if found and not pending:
            if found.version == projection.version and not found.served:
                return Building(found.id, found.schema, found.state, found.upto)
            # Of another release; or an interrupted rollback, which is no rebuild.
            state = GenerationState.RETIRED if found.served else GenerationState.FAILED
            generations.set_state(conn, found.id, state)
        upto = _head(conn)
        requested = found.id if found and pending else None
        made = generation_schemas.create(conn, projection, Origin(upto=upto, requested=requested))
        return Building(*made, GenerationState.REPLAYING, upto)


def _head(conn: Connection[Any]) -> int:
    return cast("tuple[int]", conn.execute(SELECT_HEAD).fetchone())[0]


def _replay(
    conn: Connection[Any], target: Target, businesses: Sequence[int], workers: int, recorder: ProgressRecorder
) -> int:
    """Replay the businesses that are not marked as replayed; returns the number of events."""
    marked = conn.execute(SQL("SELECT business_id FROM {}").format(Identifier(target.schema, "replayed"))).fetchall()
    todo = sorted(set(businesses) - {business for (business,) in marked})
    before = len(businesses) - len(todo)

    def report(at: Progress) -> None:
        recorder.record(replace(at, done=at.done + before, total=len(businesses)))

    return replay_all(target, todo, workers, report)


def _build_indexes(target: Target, workers: int) -> None:
    """Gather statistics and build indexes over several connections; those of an interrupted rebuild are kept."""
    projection, schema = target.projection, target.schema
    # Statistics first: ANALYZE and CREATE INDEX of one table exclude each other.
    statements = iter([*(f"ANALYZE {table.name}" for table in projection.tables), *projection.schema().indexes])

    def build() -> None:
        with target.source.connect() as conn:
            conn.execute("SELECT set_config('search_path', %s, false)", (schema,))
            conn.execute("SET maintenance_work_mem = '128MB'")
            conn.execute(ASYNCHRONOUS_COMMITS)
            # Parallel maintenance workers would not inherit the low priority.
            conn.execute("SET max_parallel_maintenance_workers = 0")
            for statement in statements:  # the next one, for the connection that is free first
                with conn.transaction():
                    # The server may still be building it for a rebuild that was killed.
                    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{schema} {statement}",))
                    conn.execute(statement)

    with ThreadPoolExecutor(max(1, workers)) as pool:
        for built in [pool.submit(build) for _ in range(max(1, workers))]:
            built.result()


def _complete(conn: Connection[Any], target: Target, generation: int, workers: int) -> None:
    """Build indexes and keys and apply removals, so that the generation can catch up."""
    projection, schema = target.projection, target.schema
    try:
        _build_indexes(target, workers)
        with conn.transaction():
            generation_schemas.finish(conn, projection, schema, analyzed=True)
            apply_removals(conn, projection, schema)
            conn.execute(SQL("UPDATE {} SET position = %s").format(Identifier(schema, "progress")), (target.upto,))
            generations.advance(conn, generation, GenerationState.CATCHING_UP)
    except POISON:
        # Rows that no key or index accepts: a resumed rebuild would fail again.
        generations.set_state(conn, generation, GenerationState.FAILED)
        raise


def apply_removals(conn: Connection[Any], projection: Projection, schema: str) -> None:
    """Delete the rows that later events removed, and recompute the columns that depended on them."""
    removed = Identifier(schema, "removed")
    for table in (t for t in projection.tables if not t.merged):
        conn.execute(SQL(DELETE_REMOVED).format(Identifier(schema, table.name), removed), (table.name,))
    found = conn.execute(SQL("SELECT DISTINCT business_id FROM {}").format(removed)).fetchall()
    if found and projection.after_removal:
        recompute_after_removal(conn, projection, schema, [business for (business,) in found])


def _catch_up(conn: Connection[Any], source: Source, projection: Projection, generation: int, schema: str) -> None:
    applier = Applier(conn, projection, schema, MasterKey(source.secret))
    positions = applier.positions(range(SHARDS))
    for business in sorted(applier.parked):
        applier.retry(business)
    while len(batch := applier.reader.after(conn, min(positions.values()), limit=_STRIDE)) > _TAIL:
        positions = applier.apply(batch, positions)
    with conn.transaction():
        generations.lock_projection(conn, projection.name)
        # To the position that readers may have been shown and no further: later appends must not prolong the lock.
        head = _head(conn)
        while min(positions.values()) < head:
            positions = applier.apply(applier.reader.after(conn, min(positions.values()), limit=_STRIDE), positions)
        generations.adopt(conn, projection.name, generation, schema)
