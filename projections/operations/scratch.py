"""A generation aside: businesses replayed into a schema that nobody reads, to be looked at and emptied again."""

import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from projections.engine import generations
from projections.engine.deltas import Table
from projections.engine.projection import Projection
from projections.engine.replayer import Source, Worker
from projections.operations.rebuild import take_out
from projections.operations.table_diff import Row, Side
from shared.domain.rules.registry import Rules, as_json
from shared.postgres.database import SHARDS

# Returns the position that a business's rows show: its shard's, or the one before what it is parked at.
SELECT_POSITION = """SELECT coalesce((SELECT position - 1 FROM {parked} WHERE business_id = %s), position)
    FROM {progress} WHERE shard = %s"""

# Returns nothing; what a generation is of, and by which rules it is made.
DESCRIBE = "UPDATE projections.generations SET business_id = %s, rules = %s WHERE id = %s"
# Returns nothing; a generation of which nothing came is gone without a trace of work.
FORGET = """UPDATE projections.generations SET state = 'dropped', changed_at = now()
    WHERE id = %s AND state IN ('replaying', 'dropping')"""


class ProjectorVersionMismatch(RuntimeError):
    """What serves was made by another version of the projector: its rows cannot be compared, nor some made anew."""


class OperationRequest(NamedTuple):
    """What a generation aside is for: its kind, one business or all, other rules, the generation asked for if any."""

    kind: str
    business: int | None = None
    rules: Rules = MappingProxyType({})
    asked: int | None = None


class ScratchGeneration:
    """One schema, and what is replayed into it."""

    def __init__(self, projection: Projection, worker: Worker, generation: int) -> None:
        """Replay by `worker`."""
        self.projection = projection
        self.worker = worker
        self.generation = generation
        self.schema = worker.schema

    def empty(self) -> None:
        """Take everything out again."""
        names = [*(table.name for table in self.projection.tables), "replayed", "removed", "parked"]
        tables = SQL(", ").join(Identifier(self.schema, name) for name in names)
        self.worker.conn.execute(SQL("TRUNCATE {}").format(tables))

    def replay(self, positions: Mapping[int, int]) -> None:
        """Put businesses in the place of what is there, each as of a position."""
        self.empty()
        for business, position in positions.items():
            self.worker.replay_to(business, position)
        self.settle()

    def settle(self) -> None:
        """Finish what was replayed, once all that is to be looked at is."""
        take_out(self.worker.conn, self.projection, self.schema)

    @property
    def side(self) -> Side:
        """Return where its rows stand."""
        return Side(self.worker.conn, self.schema)

    def rows(self, table: Table, business: int) -> dict[Any, Row]:
        """Return a business's rows of a table, by key."""
        return rows_of(self.worker.conn, self.schema, table, business)


@contextmanager
def scratch_generation(
    conn: Connection[Any], source: Source, projection: Projection, wish: OperationRequest
) -> Iterator[ScratchGeneration]:
    """Lend a schema to replay into, until the caller has concluded what it is for.

    What killed processes leave is dropped, or taken up again where it was asked for over HTTP.
    """
    with conn.transaction():
        generation, schema = generations.create(
            conn, projection, state="replaying", upto=0, kind=wish.kind, asked=wish.asked
        )
        told = Jsonb(as_json(wish.rules)) if wish.rules else None
        conn.execute(DESCRIBE, (wish.business, told, generation))
        if wish.asked is None:  # else whoever took it up holds the lock
            conn.execute(generations.LOCK_GENERATION, (generation,))
    try:
        worker = Worker(source, projection, schema, 0, multiprocessing.Value("q", 0))
        worker.rules = wish.rules
        with worker.conn:
            yield ScratchGeneration(projection, worker, generation)
    finally:
        generations.drop_schema(conn, schema)
        if wish.asked is None:
            conn.execute(FORGET, (generation,))
            conn.execute("SELECT pg_advisory_unlock(7309, %s)", (generation,))


def shown(conn: Connection[Any], schema: str, business: int) -> int:
    """Return the position that a business's rows show in a generation."""
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
    """Return the schema that serves a projection. Raises Outdated where it is another release's."""
    serving = generations.live(conn, projection.name)
    if serving is None:
        raise LookupError(projection.name)
    if serving[2] != projection.version:
        raise ProjectorVersionMismatch(projection.name)
    return serving[1]
