"""The schemas of generations: created without keys, finished once they have rows, dropped when nobody uses them."""

import logging
from collections.abc import Mapping
from typing import Any, cast

from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Identifier

from projections.engine import generations
from projections.engine.generations import Origin, with_states
from projections.engine.projection import Projection
from shared.postgres.database import READER, SHARDS
from shared.postgres.generation_states import GenerationState
from shared.postgres.locks import Lock

logger = logging.getLogger("smartmarket.generations")

# The tables that every generation has besides its projector's.
HOUSEKEEPING = """
CREATE TABLE progress (shard smallint PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE parked (
    business_id bigint PRIMARY KEY, position bigint NOT NULL, topic text NOT NULL, error text NOT NULL
);
CREATE TABLE replayed (business_id bigint PRIMARY KEY, rows bigint NOT NULL);
CREATE TABLE removed (relation text NOT NULL, business_id bigint NOT NULL, id bigint NOT NULL);
"""
# Returns the schemas that stopped serving long enough ago for every reader to have left, those of processes that were
# killed, and those of replays that expired. A generation that a process is still making is left to that process, which
# notices that it was cancelled.
_DROPPABLE = """WITH making AS (
        SELECT g.id FROM projections.generations g JOIN pg_locks l
            ON (classid = %(generation_lock)s AND objid = g.id::oid) OR (kind = {kind_rebuild}
                AND classid = %(rebuild_lock)s AND objid = (hashtext(projection)::bigint & 4294967295)::oid)
        WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    SELECT schema FROM projections.generations AS g WHERE changed_at < now() - make_interval(secs => %(seconds)s)
        AND (state = {retired} OR (state = {failed} AND to_regnamespace(schema) IS NOT NULL)
        OR (state = {dropping} AND id NOT IN (SELECT id FROM making))
        OR ((state = {replaying} OR (state = {ready} AND kind = {kind_travel})) AND kind <> {kind_rebuild}
            AND asked_by IS NULL AND id NOT IN (SELECT id FROM making)
            AND NOT EXISTS (SELECT FROM projections.replays r
                WHERE schema = ANY(r.schemas) AND r.state = {replay_ready} AND r.expires_at > now())))"""
SELECT_DROPPABLE = with_states(_DROPPABLE)
# Locks one of them until the commit, so that it cannot serve again; no row if it is not droppable any more.
LOCK_DROPPABLE = with_states(_DROPPABLE + " AND schema = %(schema)s FOR UPDATE OF g")
SELECT_HAS_READER = "SELECT 1 FROM pg_roles WHERE rolname = %s"
CREATE_POLICY = """CREATE POLICY tenant ON {}
    USING (business_id = nullif(current_setting('app.business_id', true), '')::bigint)"""
INSERT_CHECKPOINTS = "INSERT INTO {} SELECT shard, 0 FROM generate_series(0, %s) AS shard"


def create(conn: Connection[Any], projection: Projection, origin: Origin) -> tuple[int, str]:
    """Create an empty generation without keys and indexes; returns its id and schema.

    Raises GenerationCancelled where it was requested and dropped since.
    """
    generation, schema = generations.insert(conn, projection, origin)
    if origin.requested:
        drop_schema(conn, schema)
    conn.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
    _in_schema(conn, schema, HOUSEKEEPING + projection.schema().tables)
    conn.execute(SQL(INSERT_CHECKPOINTS).format(Identifier(schema, "progress")), (SHARDS - 1,))
    return generation, schema


def finish(conn: Connection[Any], projection: Projection, schema: str, *, analyzed: bool = False) -> None:
    """Create the missing indexes, keys, grants and row-level security, and gather statistics unless `analyzed`."""
    _, indexes, keys = projection.schema()
    _in_schema(conn, schema, ";\n".join([*indexes, keys]))
    has_reader = conn.execute(SELECT_HAS_READER, (READER,)).fetchone()
    if has_reader:
        conn.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(Identifier(schema), Identifier(READER)))
    for table in projection.tables:
        name = Identifier(schema, table.name)
        conn.execute(SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(name))
        conn.execute(SQL(CREATE_POLICY).format(name))
        if has_reader:
            conn.execute(SQL("GRANT SELECT ON {} TO {}").format(name, Identifier(READER)))
        if not analyzed:
            conn.execute(SQL("ANALYZE {}").format(name))


def ensure_live(conn: Connection[Any], registry: Mapping[str, Projection]) -> list[str]:
    """Create an empty first generation for every projection that has none; returns their names."""
    made = []
    for projection in registry.values():
        with conn.transaction():
            generations.lock_projection(conn, projection.name)
            if generations.live(conn, projection.name) is None:
                generation, schema = create(conn, projection, Origin(state=GenerationState.LIVE))
                finish(conn, projection, schema)
                generations.point(conn, projection.name, generation, schema)
                made.append(projection.name)
    return made


def drop(conn: Connection[Any], schema: str) -> None:
    """Drop the schema of a generation and record it."""
    drop_schema(conn, schema)
    generations.mark_dropped(conn, schema)


def drop_schema(conn: Connection[Any], schema: str) -> None:
    """Drop the schema of a generation; its state is kept."""
    conn.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)))


def drop_unused(conn: Connection[Any], *, after_seconds: float = 60.0) -> list[str]:
    """Drop schemas that nobody has used for a time; those in use are left for the next call. Returns their names."""
    generations.forget_old(conn)
    dropped = []
    locks = {"generation_lock": Lock.GENERATION, "rebuild_lock": Lock.REBUILD, "seconds": after_seconds}
    for (schema,) in conn.execute(SELECT_DROPPABLE, locks).fetchall():
        try:
            with conn.transaction():
                conn.execute("SET LOCAL lock_timeout = '200ms'")
                if conn.execute(LOCK_DROPPABLE, {**locks, "schema": schema}).fetchone():
                    drop(conn, schema)
                    dropped.append(schema)
        except LockNotAvailable:
            logger.info("generation still in use; retrying later", extra={"schema": schema})
    return dropped


def drop_unused_by(conn: Connection[Any]) -> list[str]:
    """Drop unused schemas over a connection that is closed afterwards."""
    with conn:
        return drop_unused(conn)


def _in_schema(conn: Connection[Any], schema: str, script: str) -> None:
    conn.execute("SELECT set_config('search_path', %s, true)", (schema,))
    conn.execute(cast("Any", script))
    conn.execute("SELECT set_config('search_path', 'pg_catalog', true)")
