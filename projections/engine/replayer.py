"""The replay mode: folds one business at a time, whole, and writes it once, by any number of processes side by side.

A killed replay is resumed by the next one: each finished business is marked in the transaction that wrote its rows.
"""

import gc
import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from projections.engine import generations
from projections.engine.deltas import Deltas
from projections.engine.derivation import Derivation, FoldedFacts
from projections.engine.deriver import AsOf, derivation_point
from projections.engine.follower import connect
from projections.engine.projection import Projection
from projections.engine.writers import ReplayWriter
from shared.eventstore.reader import LogReader
from shared.eventstore.vault import MasterKey, Vault
from shared.runtime.low_priority import give_way, server_gives_way
from shared.runtime.spawn import without_main_module

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

    from psycopg import Connection

    from shared.domain.rules.registry import Rules

# Commits without waiting for the disk: what a crash of the server takes, marks and rows alike, is made again, and
# the commit by which a generation goes on from here waits for all before it.
UNHURRIED = "SET synchronous_commit = off"
# Returns whether somebody dropped the tables that serve: they are made anew from the log like any others.
SELECT_LOST = "SELECT to_regclass(quote_ident(%s) || '.parked') IS NULL"
_CHUNK = 100
_SPILL_ROWS = 20_000
_OBJECTS_BETWEEN_COLLECTIONS = 1_000_000
logger = logging.getLogger("smartmarket.replay")


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
    """What a replaying process needs to open its own connections; what `gives_way` lets everything else go first."""

    url: str
    secret: str
    role: str | None
    gives_way: bool = False

    def connect(self) -> "Connection[Any]":
        """Open a connection that writes read models."""
        conn = connect(self.url, role=self.role)
        if self.gives_way:
            server_gives_way(conn)
        return conn


def replay_all(
    source: Source,
    projection: Projection,
    schema: str,
    upto: int,
    todo: list[int],
    workers: int,
    report: Callable[[Progress], None],
) -> int:
    """Fold the businesses of `todo` into the tables of `schema`, up to a position; returns the events folded.

    So many `workers` do it side by side, giving way to everything else; without any, this process does.
    """
    began = time.monotonic()
    context = multiprocessing.get_context("spawn")
    folded = context.Value("q", 0)
    done = 0
    if not (todo and workers):
        return _replay_here(source, projection, schema, upto, todo, report)
    start = _start_worker, (source, projection, schema, upto, folded)
    with ProcessPoolExecutor(min(workers, len(todo)), context, *start) as pool:
        with without_main_module():
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
    worker = Worker(source, projection, schema, upto, multiprocessing.Value("q", 0))
    with worker.conn:
        for done, business in enumerate(todo, 1):
            worker.replay(business)
            report(Progress("replaying", done, len(todo), worker.folded.value, time.monotonic() - began))
    return worker.folded.value


class Worker:
    """One replaying process: its connection and what it replays."""

    def __init__(
        self, source: Source, projection: Projection, schema: str, upto: int, folded: "Synchronized[int]"
    ) -> None:
        """Write into `schema` what a projection makes of the log up to a position; `folded` counts the events."""
        self.conn = source.connect()
        self.conn.execute(UNHURRIED)
        self.projection = projection
        self.schema = schema
        self.upto = upto
        self.folded = folded
        self.rules: Rules = {}
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

    def replay_to(self, business: int, position: int) -> None:
        """Fold one business whole up to a position of its own, and write it."""
        self.upto = position
        self._replay(business, position)

    def _replay(self, business: int, upto: int, parked: tuple[int, str, str] | None = None) -> None:
        writer = ReplayWriter(self.conn, self.schema)
        marks = Identifier(self.schema, "replayed")
        with self.conn.transaction():
            # First the mark: a worker of a killed rebuild may still be about to commit the same business.
            mark = SQL("INSERT INTO {} VALUES (%s, 0) ON CONFLICT DO NOTHING").format(marks)
            if not self.conn.execute(mark, (business,)).rowcount:
                return
            rows = self._fold(business, upto, writer)
            self.conn.execute(SQL("UPDATE {} SET rows = %s WHERE business_id = %s").format(marks), (rows, business))
            if parked:
                park = SQL("INSERT INTO {} VALUES (%s, %s, %s, %s)").format(Identifier(self.schema, "parked"))
                self.conn.execute(park, (business, *parked))

    def _fold(self, business: int, upto: int, writer: ReplayWriter) -> int:
        """Fold and write one history; returns how many rows it made that no sum took up."""
        deltas = Deltas(self.projection.folded)
        as_of = self._settled(business, upto)
        derived: Deltas | None = None
        rows = after = 0
        while events := self.reader.of_business(self.conn, business, after, limit=_CHUNK, upto=upto):
            after = events[-1].position
            keys = self.vault.keys([s for r in events for s in self.projection.subjects(r)])
            for recorded in events:
                if as_of and derived is None and recorded.position > as_of.position:
                    derived = self._derived(FoldedFacts(business, deltas), as_of)
                self.projection.fold(recorded, deltas, keys)
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

    def _settled(self, business: int, upto: int) -> AsOf | None:
        """Return as of what this business's rows are derived, by the rules of `self.rules` in place of the log's."""
        derivation = self.projection.derivation
        as_of = derivation_point(self.conn, derivation, business, upto) if derivation else None
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
        statement = SQL("SELECT position, topic, error FROM {} WHERE business_id = %s")
        row = self.conn.execute(statement.format(Identifier(serving[1], "parked")), (business,)).fetchone()
        return cast("tuple[int, str, str] | None", row)

    def _sql(self, query: Any, params: Sequence[Any]) -> list[dict[str, Any]]:  # noqa: ANN401 - the vault's statements
        with self.conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, params).fetchall()


_worker: Worker | None = None


def _start_worker(source: Source, projection: Projection, schema: str, upto: int, folded: "Synchronized[int]") -> None:
    global _worker  # noqa: PLW0603 - a pool's process keeps its connection between businesses
    give_way()  # requests and live writers go first
    # Rows live until their business is written, and point to nothing that points back: looking for cycles among
    # them takes longer than folding them.
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    _worker = Worker(source, projection, schema, upto, folded)


def _end_with_parent() -> None:
    # The pool's processes outlive a killed parent: they would go on beside the rebuild that resumes it.
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _replay_in_worker(business: int) -> None:
    cast("Worker", _worker).replay(business)
