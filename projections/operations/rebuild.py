"""A rebuild: a projection replayed into a new generation, which catches up and then serves."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from projections.engine import generations
from projections.engine.applier import POISON, Applier
from projections.engine.progress import ProgressRecorder
from projections.engine.projection import Projection
from projections.engine.replayer import UNHURRIED, Progress, Source, replay_all
from projections.engine.writers import recompute_after_removal
from shared.eventstore.reader import LogReader
from shared.eventstore.vault import MasterKey
from shared.postgres.database import SHARDS
from shared.runtime.room_for_readers import room_for_readers

# Events read at once while catching up; with no more than _TAIL left, the rest is applied under the projection's lock.
_STRIDE, _TAIL = 200, 50
_REBUILD_LOCK = 7307


class RebuildRunning(RuntimeError):
    """This projection is being rebuilt by another process."""


class NothingBefore(RuntimeError):
    """No generation that served before is left."""


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild made: the schema that serves now, rows written and seconds taken by the replay itself."""

    projection: str
    schema: str
    businesses: int
    rows: int
    events: int
    replay_seconds: float
    seconds: float


class Made(NamedTuple):
    """A generation whose rows are in: its id and schema, and the position they show."""

    generation: int
    schema: str
    upto: int


def rebuild(
    source: Source, projection: Projection, *, workers: int = 2, report: Callable[[Progress], None] = lambda _: None
) -> Rebuilt:
    """Replay a projection into a new generation, let it catch up, and point to it; readers never notice.

    Resumes what a killed rebuild left. Raises RebuildRunning while another process rebuilds the same projection,
    Unwanted where somebody drops the generation before it serves.
    """
    began = time.monotonic()
    with source.connect() as conn, _alone(conn, projection.name), room_for_readers(source.connect):
        generation, schema, state, upto = _begin(conn, projection)
        account = ProgressRecorder(conn, generation, report)
        businesses = LogReader.businesses(conn)
        events = 0
        if state == "replaying":
            todo = _unfinished(conn, schema, businesses)
            done = len(businesses) - len(todo)
            patient = replace(source, gives_way=True)
            events = replay_all(
                patient,
                projection,
                schema,
                upto,
                todo,
                workers,
                lambda at: account.tell(replace(at, done=at.done + done, total=len(businesses))),
            )
            _complete(conn, patient, projection, workers, Made(generation, schema, upto))
        replayed = time.monotonic() - began
        account.tell(Progress("catching_up", len(businesses), len(businesses), events, replayed))
        _catch_up(conn, source, projection, generation, schema)
        row = conn.execute(
            SQL("SELECT coalesce(sum(rows), 0)::bigint FROM {}").format(Identifier(schema, "replayed"))
        ).fetchone()
        seconds = time.monotonic() - began
        return Rebuilt(projection.name, schema, len(businesses), cast("Any", row)[0], events, replayed, seconds)


def roll_back(source: Source, projection: Projection, named: int | None = None) -> str:
    """Let the generation that served before catch up, or the one `named`, and point back to it; returns its schema.

    Raises NothingBefore if none of this projector's version is left, RebuildRunning while one is being made, Unwanted
    where somebody drops it meanwhile.
    """
    which = {"name": projection.name, "version": projection.version, "named": named}
    with source.connect() as conn, _alone(conn, projection.name):
        try:
            row = conn.execute(generations.REVIVE, which).fetchone()
        except psycopg.errors.UniqueViolation:  # one that was asked for, or that a killed rebuild left
            raise RebuildRunning(projection.name) from None
        if row is None:
            raise NothingBefore(projection.name)
        generation, schema = cast("tuple[int, str]", row)
        _catch_up(conn, source, projection, generation, schema)
        return schema


@contextmanager
def _alone(conn: Connection[Any], name: str) -> Iterator[None]:
    """Keep every other rebuild of a projection out meanwhile; raises RebuildRunning where one is in already."""
    row = conn.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_REBUILD_LOCK, name)).fetchone()
    if not cast("tuple[bool]", row)[0]:
        raise RebuildRunning(name)
    try:
        yield
    finally:
        # The server notices a closed connection some moments later: whoever comes next should not be refused for it.
        with suppress(psycopg.Error):
            conn.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (_REBUILD_LOCK, name))


def _begin(conn: Connection[Any], projection: Projection) -> tuple[int, str, str, int]:
    with conn.transaction():
        row = conn.execute(generations.SELECT_UNFINISHED, (projection.name,)).fetchone()
        if row:
            generation, schema, version, state, upto, served, asked_for = row
            if served and asked_for:
                raise RebuildRunning(projection.name)
            if version == projection.version and state != "pending" and not served:
                return generation, schema, state, upto
            if state != "pending":  # of another release; or who was going back to it is gone, which is no rebuild
                generations.set_state(conn, generation, "retired" if served else "failed")
        upto = _head(conn)
        asked = row[0] if row and row[3] == "pending" else None
        made = generations.create(conn, projection, state="replaying", upto=upto, asked=asked)
        return (*made, "replaying", upto)


def _head(conn: Connection[Any]) -> int:
    row = conn.execute("SELECT coalesce(max(notification_id), 0) FROM log.events").fetchone()
    return cast("tuple[int]", row)[0]


def _unfinished(conn: Connection[Any], schema: str, businesses: Sequence[int]) -> list[int]:
    done = conn.execute(SQL("SELECT business_id FROM {}").format(Identifier(schema, "replayed"))).fetchall()
    return sorted(set(businesses) - {b for (b,) in done})


def _build_indexes(source: Source, projection: Projection, schema: str, workers: int) -> None:
    """Gather the generation's statistics and build its indexes side by side; what a killed rebuild left is kept."""
    # Statistics first: no table takes both at once.
    statements = iter([*(f"ANALYZE {table.name}" for table in projection.tables), *projection.schema().indexes])

    def build() -> None:
        with source.connect() as conn:
            conn.execute("SELECT set_config('search_path', %s, false)", (schema,))
            conn.execute("SET maintenance_work_mem = '128MB'")
            conn.execute(UNHURRIED)
            # Whom the server called in to help would not give way.
            conn.execute("SET max_parallel_maintenance_workers = 0")
            for statement in statements:  # each goes to whoever is free
                with conn.transaction():
                    # The server may still be building it for a rebuild that was killed.
                    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{schema} {statement}",))
                    conn.execute(statement)

    with ThreadPoolExecutor(max(1, workers)) as pool:
        for built in [pool.submit(build) for _ in range(max(1, workers))]:
            built.result()


def _complete(conn: Connection[Any], source: Source, projection: Projection, workers: int, made: Made) -> None:
    generation, schema, upto = made
    try:
        _build_indexes(source, projection, schema, workers)
        with conn.transaction():
            generations.finish(conn, projection, schema, analyzed=True)
            take_out(conn, projection, schema)
            conn.execute(SQL("UPDATE {} SET position = %s").format(Identifier(schema, "progress")), (upto,))
            generations.advance(conn, generation, "catching_up")
    except POISON:
        # Rows that no key or index can hold: resuming would meet them again.
        generations.set_state(conn, generation, "failed")
        raise


def take_out(conn: Connection[Any], projection: Projection, schema: str) -> None:
    """Take out the rows that later events removed, and make good what they left behind."""
    removed = Identifier(schema, "removed")
    statement = SQL(
        "DELETE FROM {} AS t USING {} AS r WHERE r.relation = %s AND (t.business_id, t.id) = (r.business_id, r.id)"
    )
    for table in (t for t in projection.tables if not t.merged):
        conn.execute(statement.format(Identifier(schema, table.name), removed), (table.name,))
    found = conn.execute(SQL("SELECT DISTINCT business_id FROM {}").format(removed)).fetchall()
    if found and projection.mend:
        recompute_after_removal(conn, projection, schema, [business for (business,) in found])


def _catch_up(conn: Connection[Any], source: Source, projection: Projection, generation: int, schema: str) -> None:
    applier = Applier(conn, projection, schema, MasterKey(source.secret))
    positions = applier.positions(range(SHARDS))
    for business in sorted(applier.parked):
        applier.retry(business)
    while len(batch := applier.reader.after(conn, min(positions.values()), limit=_STRIDE)) > _TAIL:
        positions = applier.apply(batch, positions)
    with conn.transaction():
        conn.execute(generations.LOCK_PROJECTION, (projection.name,))
        # As far as anybody can have been shown anything, and no farther: shops that sell on do not hold the lock.
        head = _head(conn)
        while min(positions.values()) < head:
            positions = applier.apply(applier.reader.after(conn, min(positions.values()), limit=_STRIDE), positions)
        generations.adopt(conn, projection.name, generation, schema)
