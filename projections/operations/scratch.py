"""Scratch generations: businesses are replayed into a schema that does not serve, examined, and emptied again."""

import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from projections.engine import generation_schemas, generations
from projections.engine.deltas import Table
from projections.engine.generations import Origin
from projections.engine.projection import Projection
from projections.engine.replayer import Source, Target, Worker
from projections.operations.rebuild import apply_removals
from projections.operations.table_diff import Row, Side
from shared.eventstore.rule_versions import Rules
from shared.postgres.database import SHARDS
from shared.postgres.generation_states import GenerationKind

# Returns the position a business's rows are at: its shard's checkpoint, or the one before its poison event.
SELECT_POSITION = """SELECT coalesce((SELECT position - 1 FROM {parked} WHERE business_id = %s), position)
    FROM {progress} WHERE shard = %s"""


class ProjectorVersionMismatch(RuntimeError):
    """The serving rows were made by another version of the projector: they cannot be compared or repaired."""


class OperationRequest(NamedTuple):
    """What a scratch generation is for: one business or all, other rules, its row if it was requested over HTTP."""

    kind: GenerationKind
    business: int | None = None
    rules: Rules = MappingProxyType({})
    requested: int | None = None


class ScratchGeneration:
    """One schema, and the worker that replays into it."""

    def __init__(self, projection: Projection, worker: Worker, generation: int) -> None:
        """Replay with `worker`."""
        self.projection = projection
        self.worker = worker
        self.generation = generation
        self.schema = worker.schema

    def empty(self) -> None:
        """Delete all rows."""
        names = [*(table.name for table in self.projection.tables), "replayed", "removed", "parked"]
        tables = SQL(", ").join(Identifier(self.schema, name) for name in names)
        self.worker.conn.execute(SQL("TRUNCATE {}").format(tables))

    def replay(self, positions: Mapping[int, int]) -> None:
        """Replace all rows by those of some businesses, each as of a position."""
        self.empty()
        for business, position in positions.items():
            self.worker.replay_to(business, position)
        self.settle()

    def settle(self) -> None:
        """Complete the rows after the last business was replayed."""
        apply_removals(self.worker.conn, self.projection, self.schema)

    @property
    def side(self) -> Side:
        """Return the connection and schema of its rows."""
        return Side(self.worker.conn, self.schema)

    def rows(self, table: Table, business: int) -> dict[Any, Row]:
        """Return a business's rows of a table, by key."""
        return rows_of(self.worker.conn, self.schema, table, business)


@contextmanager
def scratch_generation(
    conn: Connection[Any], source: Source, projection: Projection, request: OperationRequest
) -> Iterator[ScratchGeneration]:
    """Lend a schema to replay into, until the caller has recorded the result.

    Those of killed processes are dropped, or made again where they were requested over HTTP.
    """
    with conn.transaction():
        origin = Origin(request.kind, requested=request.requested)
        generation, schema = generation_schemas.create(conn, projection, origin)
        derivation = projection.derivation
        rules = derivation.book.as_json(request.rules) if derivation and request.rules else None
        generations.set_scope(conn, generation, request.business, rules)
        if request.requested is None:  # else the request runner holds the lock
            generations.lock(conn, generation)
    try:
        worker = Worker(Target(source, projection, schema, 0), multiprocessing.Value("q", 0))
        worker.rules = request.rules
        with worker.conn:
            yield ScratchGeneration(projection, worker, generation)
    finally:
        generation_schemas.drop_schema(conn, schema)
        if request.requested is None:
            generations.discard(conn, generation)
            generations.unlock(conn, generation)


def shown(conn: Connection[Any], schema: str, business: int) -> int:
    """Return the position that a business's rows are at in a generation."""
    statement = SQL(SELECT_POSITION).format(
        parked=Identifier(schema, "parked"), progress=Identifier(schema, "progress")
    )
    return cast("tuple[int]", conn.execute(statement, (business, business % SHARDS)).fetchone())[0]


def rows_of(conn: Connection[Any], schema: str, table: Table, business: int) -> dict[Any, Row]:
    """Return a business's rows of a generation's table, by key."""
    statement = SQL("SELECT * FROM {} WHERE business_id = %s").format(Identifier(schema, table.name))
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement, (business,)).fetchall()
    return {tuple(row[column] for column in table.keys): row for row in rows}


def served(conn: Connection[Any], projection: Projection) -> str:
    """Return the schema that serves a projection. Raises ProjectorVersionMismatch."""
    serving = generations.live(conn, projection.name)
    if serving is None:
        raise LookupError(projection.name)
    if serving[2] != projection.version:
        raise ProjectorVersionMismatch(projection.name)
    return serving[1]
