"""Replays the log: folds one business at a time, whole, and writes it once, in any number of processes.

A killed replay is resumed by the next one: each finished business is marked in the transaction that wrote its rows.
"""

import gc
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from psycopg.sql import SQL, Identifier

from projections.engine import generations
from projections.engine.deltas import Deltas
from projections.engine.derivation import Derivation, FoldedFacts
from projections.engine.deriver import AsOf, derivation_point, derivation_point_of_books
from projections.engine.follower import connect
from projections.engine.projection import Projection, load
from projections.engine.writers import ReplayWriter
from shared.eventstore.reader import LogReader
from shared.eventstore.vault import MasterKey, Vault, sql_over
from shared.postgres.generation_states import GenerationState
from shared.runtime.low_priority import lower_priority, lower_server_priority

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

    from psycopg import Connection

    from projections.engine.books import Books
    from shared.eventstore.codec import RecordedEvent
    from shared.eventstore.rule_versions import Rules
    from shared.eventstore.vault import SubjectKeys

# Commits without waiting for the disk: a crash of the server loses rows together with their marks, so they are replayed
# again, and the commit by which the generation advances waits for all before it.
ASYNCHRONOUS_COMMITS = "SET synchronous_commit = off"
# Returns whether the serving tables were dropped by hand; they are rebuilt from the log like any others.
SELECT_LOST = "SELECT to_regclass(quote_ident(%s) || '.parked') IS NULL"
# Marks a business as replayed, unless it is.
MARK = "INSERT INTO {} VALUES (%s, 0) ON CONFLICT DO NOTHING"
SET_ROWS = "UPDATE {} SET rows = %s WHERE business_id = %s"
PARK = "INSERT INTO {} VALUES (%s, %s, %s, %s)"
SELECT_PARKED = "SELECT position, topic, error FROM {} WHERE business_id = %s"
_CHUNK = 100
_SPILL_ROWS = 20_000
_OBJECTS_BETWEEN_COLLECTIONS = 1_000_000


@dataclass(frozen=True)
class Progress:
    """How far a rebuild is: `done` of `total` businesses, `events` folded, `seconds` since it began."""

    state: str
    done: int
    total: int
    events: int
    seconds: float


@dataclass(frozen=True)
class Source:
    """What a process needs to open connections that replay; with `gives_way`, at low priority."""

    url: str
    secret: str
    role: str | None
    gives_way: bool = False

    def connect(self) -> "Connection[Any]":
        """Open a connection that writes read models."""
        conn = connect(self.url, role=self.role)
        if self.gives_way:
            lower_server_priority(conn)
        return conn


class Target(NamedTuple):
    """What is replayed and to where: a projection into a schema, up to a position."""

    source: Source
    projection: Projection
    schema: str
    upto: int


def replay_all(target: Target, todo: list[int], workers: int, report: Callable[[Progress], None]) -> int:
    """Fold the businesses of `todo`; returns the number of events.

    Uses that many `workers`, processes of low priority; this process where it is 0.
    """
    if not (todo and workers):
        return _replay_in_process(target, todo, report)
    began = time.monotonic()
    context = multiprocessing.get_context("spawn")
    folded = context.Value("q", 0)
    done = 0
    source, projection, schema, upto = target
    start = _start_worker, (source, projection.path, schema, upto, folded)
    with ProcessPoolExecutor(min(workers, len(todo)), context, *start) as pool:
        open_: set[Future[None]] = {pool.submit(_replay_in_worker, business) for business in todo}
        try:
            while open_:
                finished, open_ = wait(open_, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                done += len(finished)
                report(_progress(done, len(todo), folded.value, began))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return int(folded.value)


def _replay_in_process(target: Target, todo: list[int], report: Callable[[Progress], None]) -> int:
    began = time.monotonic()
    worker = Worker(target, multiprocessing.Value("q", 0))
    with worker.conn:
        for done, business in enumerate(todo, 1):
            worker.replay(business)
            report(_progress(done, len(todo), worker.folded.value, began))
    return worker.folded.value


def _progress(done: int, total: int, events: int, began: float) -> Progress:
    return Progress(GenerationState.REPLAYING, done, total, events, time.monotonic() - began)


class Worker:
    """One replaying process: its connection and what it replays."""

    def __init__(self, target: Target, folded: "Synchronized[int]") -> None:
        """Replay into `target`; `folded` counts the events."""
        self.conn = target.source.connect()
        self.conn.execute(ASYNCHRONOUS_COMMITS)
        self.projection = target.projection
        self.schema = target.schema
        self.upto = target.upto
        self.folded = folded
        self.rules: Rules = {}
        self.books: Books | None = None
        self.vault = Vault(MasterKey(target.source.secret), sql_over(self.conn))
        self.reader = LogReader(self.projection.topics)

    def replay(self, business: int) -> None:
        """Fold one business whole and write it, in one transaction with its mark, unless it is marked.

        An event that cannot be folded ends the replay, except where the business is parked live: then it is parked in
        the new tables too, and retried while they catch up.
        """
        parked = self._parked_live(business)
        if parked is None or parked[0] > self.upto:
            self._replay(business, self.upto)
        else:
            self._replay(business, parked[0] - 1, parked)

    def replay_to(self, business: int, position: int) -> None:
        """Fold one business up to a position of its own, and write it."""
        self.upto = position
        self._replay(business, position)

    def _replay(self, business: int, upto: int, parked: tuple[int, str, str] | None = None) -> None:
        writer = ReplayWriter(self.conn, self.schema)
        marks = Identifier(self.schema, "replayed")
        with self.conn.transaction():
            # The mark first: a worker of a killed rebuild may be about to commit the same business.
            if not self.conn.execute(SQL(MARK).format(marks), (business,)).rowcount:
                return
            rows = self._fold(business, upto, writer)
            self.conn.execute(SQL(SET_ROWS).format(marks), (rows, business))
            if parked:
                self.conn.execute(SQL(PARK).format(Identifier(self.schema, "parked")), (business, *parked))

    def _fold(self, business: int, upto: int, writer: ReplayWriter) -> int:
        """Fold and write one history, from an erasure on; returns the number of inserted rows, without merged ones."""
        deltas = Deltas(self.projection.folded)
        as_of = self._derivation_point(business, upto)
        derived: Deltas | None = None
        rows, after = 0, LogReader.erased(self.conn, business, upto)
        while events := self.reader.of_business(self.conn, business, after, limit=_CHUNK, upto=upto):
            after = events[-1].position
            keys = self.vault.keys([s for r in events for s in self.projection.subjects(r)])
            for recorded in events:
                if as_of and derived is None and recorded.position > as_of.position:
                    derived = self._derived(FoldedFacts(business, deltas), as_of)
                self._fold_one(recorded, deltas, keys)
            with self.folded.get_lock():
                self.folded.value += len(events)
            if deltas.count() >= _SPILL_ROWS:
                rows += deltas.count()
                writer.spill(deltas)
        if as_of and derived is None:
            derived = self._derived(FoldedFacts(business, deltas), as_of)
        rows += deltas.count()
        writer.write(deltas)
        if derived:
            writer.write(derived)
        return rows

    def _fold_one(self, recorded: "RecordedEvent", deltas: Deltas, keys: "SubjectKeys") -> None:
        """Fold an event, or what `self.books` have of it."""
        kept = self.books.cut(recorded) if self.books and self.projection.dated else recorded
        if kept is not None:
            self.projection.fold(kept, deltas, keys)

    def _derivation_point(self, business: int, upto: int) -> AsOf | None:
        """Return what the business's rows are derived from; `self.rules` override those of the log."""
        derivation = self.projection.derivation
        if derivation is None:
            return None
        if self.books:
            return derivation_point_of_books(self.conn, derivation, business, upto, self.books)
        as_of = derivation_point(self.conn, derivation, business, upto)
        return as_of and as_of._replace(rules={**as_of.rules, **self.rules})

    def _derived(self, facts: FoldedFacts, as_of: AsOf) -> Deltas:
        derivation = cast("Derivation", self.projection.derivation)
        deltas = Deltas(derivation.tables)
        derivation.derive(facts, as_of.today, as_of.rules, deltas)
        return deltas

    def _parked_live(self, business: int) -> tuple[int, str, str] | None:
        serving = generations.live(self.conn, self.projection.name)
        if serving is None or self.conn.execute(SELECT_LOST, (serving[1],)).fetchone() == (True,):
            return None
        row = self.conn.execute(SQL(SELECT_PARKED).format(Identifier(serving[1], "parked")), (business,)).fetchone()
        return cast("tuple[int, str, str] | None", row)


_worker: Worker | None = None


def _start_worker(source: Source, path: str, schema: str, upto: int, folded: "Synchronized[int]") -> None:
    global _worker  # noqa: PLW0603 - a pool's process keeps its connection between businesses
    lower_priority()
    # Rows are kept until their business is written and contain no cycles: collecting among them takes longer than
    # folding them.
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    _worker = Worker(Target(source, load(path), schema, upto), folded)


def _end_with_parent() -> None:
    # The pool's processes outlive a killed parent: they would compete with the rebuild that resumes it.
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _replay_in_worker(business: int) -> None:
    cast("Worker", _worker).replay(business)
