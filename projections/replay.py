"""The replay mode: folds one business at a time, whole, into a new generation, and adopts it when it has caught up.

A killed replay is resumed by the next one: each finished business is marked in the transaction that wrote its rows.
"""

import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from projections import generations
from projections.applying import POISON, Applier
from projections.deltas import Deltas
from projections.projection import Projection
from projections.registry import REGISTRY
from projections.runner import connect
from projections.writing import ReplayWriter
from shared.database import SHARDS
from shared.event_store import LogReader
from shared.vault import MasterKey, Vault

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

_CHUNK = 100
_SPILL_ROWS = 20_000
_TAIL = 50
_REBUILD_LOCK = 7307
logger = logging.getLogger("smartmarket.replay")

# Returns every business that has a history, found by skipping through the index.
SELECT_BUSINESSES = """WITH RECURSIVE b AS (
        SELECT min(business_id) AS id FROM log.events
        UNION ALL
        SELECT (SELECT min(e.business_id) FROM log.events e WHERE e.business_id > b.id) FROM b WHERE b.id IS NOT NULL
    ) SELECT id FROM b WHERE id IS NOT NULL"""


class RebuildRunning(RuntimeError):
    """This projection is being rebuilt by another process."""


@dataclass(frozen=True)
class Progress:
    """How far a rebuild is: `done` of `total` businesses, `events` folded, `seconds` since it began."""

    state: str
    done: int
    total: int
    events: int
    seconds: float


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


@dataclass(frozen=True)
class Source:
    """What a replaying process needs to open its own connections."""

    url: str
    secret: str
    role: str | None


def rebuild(
    source: Source, projection: Projection, *, workers: int = 2, report: Callable[[Progress], None] = lambda _: None
) -> Rebuilt:
    """Replay a projection into a new generation, let it catch up, and point to it; readers never notice.

    Resumes what a killed rebuild left. Raises RebuildRunning while another process rebuilds the same projection.
    """
    began = time.monotonic()
    with connect(source.url, role=source.role) as conn:
        if not _only_one(conn, projection.name):
            raise RebuildRunning(projection.name)
        generation, schema, state, upto = _begin(conn, projection)
        businesses = [b for (b,) in conn.execute(SELECT_BUSINESSES).fetchall()]
        events = 0
        if state == "replaying":
            todo = _unfinished(conn, schema, businesses)
            events = _replay_all(source, projection, schema, upto, todo, workers, report)
            _complete(conn, source, projection, workers, Made(generation, schema, upto))
        replayed = time.monotonic() - began
        report(Progress("catching_up", len(businesses), len(businesses), events, replayed))
        _catch_up(conn, source, projection, generation, schema)
        row = conn.execute(
            SQL("SELECT coalesce(sum(rows), 0)::bigint FROM {}").format(Identifier(schema, "replayed"))
        ).fetchone()
        seconds = time.monotonic() - began
        return Rebuilt(projection.name, schema, len(businesses), cast("Any", row)[0], events, replayed, seconds)


def _only_one(conn: Connection[Any], name: str) -> bool:
    row = conn.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_REBUILD_LOCK, name)).fetchone()
    return bool(cast("tuple[bool]", row)[0])


def _begin(conn: Connection[Any], projection: Projection) -> tuple[int, str, str, int]:
    with conn.transaction():
        row = conn.execute(generations.SELECT_UNFINISHED, (projection.name,)).fetchone()
        if row:
            generation, schema, version, state, upto = row
            if version == projection.version:
                return generation, schema, state, upto
            generations.set_state(conn, generation, "failed")
        head = conn.execute("SELECT coalesce(max(notification_id), 0) FROM log.events").fetchone()
        upto = cast("tuple[int]", head)[0]
        return (*generations.create(conn, projection, state="replaying", upto=upto), "replaying", upto)


def _unfinished(conn: Connection[Any], schema: str, businesses: Sequence[int]) -> list[int]:
    done = conn.execute(SQL("SELECT business_id FROM {}").format(Identifier(schema, "replayed"))).fetchall()
    return sorted(set(businesses) - {b for (b,) in done})


def _replay_all(
    source: Source, projection: Projection, schema: str, upto: int, todo: list[int], workers: int,
    report: Callable[[Progress], None],
) -> int:  # fmt: skip
    began = time.monotonic()
    context = multiprocessing.get_context("spawn")
    folded = context.Value("q", 0)
    done = 0
    processes = min(workers, len(todo))
    if processes <= 1:
        return _replay_here(source, projection, schema, upto, todo, report)
    with ProcessPoolExecutor(
        processes, context, _start_worker, (source, projection.name, schema, upto, folded)
    ) as pool:
        open_: set[Future[None]] = {pool.submit(_replay_in_worker, business) for business in todo}
        try:
            while open_:
                finished, open_ = wait(open_, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                done += len(finished)
                report(Progress("replaying", done, len(todo), folded.value, time.monotonic() - began))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return int(folded.value)


def _replay_here(
    source: Source,
    projection: Projection,
    schema: str,
    upto: int,
    todo: list[int],
    report: Callable[[Progress], None],
) -> int:
    began = time.monotonic()
    worker = _Worker(source, projection.name, schema, upto, multiprocessing.Value("q", 0))
    with worker.conn:
        for done, business in enumerate(todo, 1):
            worker.replay(business)
            report(Progress("replaying", done, len(todo), worker.folded.value, time.monotonic() - began))
    return worker.folded.value


class _Worker:
    """One replaying process: its connection and what it replays."""

    def __init__(self, source: Source, name: str, schema: str, upto: int, folded: "Synchronized[int]") -> None:
        self.conn = connect(source.url, role=source.role)
        self.projection = REGISTRY[name]
        self.schema = schema
        self.upto = upto
        self.folded = folded
        self.vault = Vault(MasterKey(source.secret), self._sql)
        self.reader = LogReader(self.projection.topics)

    def replay(self, business: int) -> None:
        """Fold one business whole and write it, in one transaction with its mark; one that has its mark is left alone.

        An event that cannot be folded ends the replay, except where the live tables are parked: there the new ones are
        parked too, for the catching up to retry.
        """
        parked = self._parked_live(business)
        if parked is None or parked[0] > self.upto:
            self._replay(business, self.upto)
        else:
            self._replay(business, parked[0] - 1, parked)

    def _replay(self, business: int, upto: int, parked: tuple[int, str, str] | None = None) -> None:
        deltas = Deltas(self.projection.tables)
        writer = ReplayWriter(self.conn, self.schema)
        marks = Identifier(self.schema, "replayed")
        rows = after = 0
        with self.conn.transaction():
            # First the mark: a worker of a killed rebuild may still be about to commit the same business.
            mark = SQL("INSERT INTO {} VALUES (%s, 0) ON CONFLICT DO NOTHING").format(marks)
            if not self.conn.execute(mark, (business,)).rowcount:
                return
            while events := self.reader.of_business(self.conn, business, after, limit=_CHUNK, upto=upto):
                after = events[-1].position
                keys = self.vault.keys([s for r in events for s in self.projection.subjects(r)])
                for recorded in events:
                    self.projection.fold(recorded, deltas, keys)
                with self.folded.get_lock():
                    self.folded.value += len(events)
                if deltas.count() >= _SPILL_ROWS:
                    rows += deltas.count()
                    writer.spill(deltas)
            rows += deltas.count()
            writer.write(deltas)
            self.conn.execute(SQL("UPDATE {} SET rows = %s WHERE business_id = %s").format(marks), (rows, business))
            if parked:
                park = SQL("INSERT INTO {} VALUES (%s, %s, %s, %s)").format(Identifier(self.schema, "parked"))
                self.conn.execute(park, (business, *parked))

    def _parked_live(self, business: int) -> tuple[int, str, str] | None:
        serving = generations.live(self.conn, self.projection.name)
        if serving is None:
            return None
        statement = SQL("SELECT position, topic, error FROM {} WHERE business_id = %s")
        row = self.conn.execute(statement.format(Identifier(serving[1], "parked")), (business,)).fetchone()
        return cast("tuple[int, str, str] | None", row)

    def _sql(self, query: Any, params: Sequence[Any]) -> list[dict[str, Any]]:  # noqa: ANN401 - the vault's statements
        with self.conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, params).fetchall()


_worker: _Worker | None = None


def _start_worker(source: Source, name: str, schema: str, upto: int, folded: "Synchronized[int]") -> None:
    global _worker  # noqa: PLW0603 - a pool's process keeps its connection between businesses
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    _worker = _Worker(source, name, schema, upto, folded)


def _end_with_parent() -> None:
    # The pool's processes outlive a killed parent: they would go on beside the rebuild that resumes it.
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _replay_in_worker(business: int) -> None:
    cast("_Worker", _worker).replay(business)


def _build_indexes(source: Source, projection: Projection, schema: str, workers: int) -> None:
    """Build the generation's indexes side by side; those that a killed rebuild left are kept."""

    def build(statement: str) -> None:
        with connect(source.url, role=source.role) as conn:
            conn.execute("SELECT set_config('search_path', %s, false)", (schema,))
            conn.execute("SET maintenance_work_mem = '128MB'")
            # The server may still be building it for a rebuild that was killed.
            conn.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (f"{schema} {statement}",))
            conn.execute(statement)

    with ThreadPoolExecutor(max(1, workers)) as pool:
        list(pool.map(build, projection.schema().indexes))


def _complete(conn: Connection[Any], source: Source, projection: Projection, workers: int, made: Made) -> None:
    generation, schema, upto = made
    try:
        _build_indexes(source, projection, schema, workers)
        with conn.transaction():
            generations.finish(conn, projection, schema)
            conn.execute(SQL("UPDATE {} SET position = %s").format(Identifier(schema, "progress")), (upto,))
            generations.set_state(conn, generation, "catching_up")
    except POISON:
        # Rows that no key or index can hold: resuming would meet them again.
        generations.set_state(conn, generation, "failed")
        raise


def _catch_up(conn: Connection[Any], source: Source, projection: Projection, generation: int, schema: str) -> None:
    applier = Applier(conn, projection, schema, MasterKey(source.secret))
    positions = applier.positions(range(SHARDS))
    for business in sorted(applier.parked):
        applier.retry(business)
    while len(batch := applier.reader.after(conn, min(positions.values()), limit=_TAIL)) == _TAIL:
        positions = applier.apply(batch, positions)
    with conn.transaction():
        conn.execute(generations.LOCK_PROJECTION, (projection.name,))
        while batch := applier.reader.after(conn, min(positions.values()), limit=_TAIL):
            positions = applier.apply(batch, positions)
        generations.adopt(conn, projection.name, generation, schema)
