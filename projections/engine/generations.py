"""Generations: a projection in a schema of its own, and the pointer to the one that serves.

A schema never changes its name. Each carries its rows, its progress per shard and its parked businesses, so that one
transaction moves them together. Readers find the serving schema by `projections.live`, in the first statement of their
transaction.
"""

import logging
from collections.abc import Mapping
from typing import Any, cast

from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from projections.engine.projection import Projection
from shared.postgres.database import READER, SHARDS

logger = logging.getLogger("smartmarket.generations")

# Returns nothing; what every generation has beside its projector's tables.
HOUSEKEEPING = """
CREATE TABLE progress (shard smallint PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE parked (
    business_id bigint PRIMARY KEY, position bigint NOT NULL, topic text NOT NULL, error text NOT NULL
);
CREATE TABLE replayed (business_id bigint PRIMARY KEY, rows bigint NOT NULL);
CREATE TABLE removed (relation text NOT NULL, business_id bigint NOT NULL, id bigint NOT NULL);
"""
# Returns the id of a new generation.
INSERT_GENERATION = """INSERT INTO projections.generations (id, projection, schema, version, state, upto, kind)
    OVERRIDING SYSTEM VALUE SELECT id, %(name)s, %(name)s || '_g' || id, %(version)s, %(state)s, %(upto)s, %(kind)s
    FROM nextval('projections.generations_id_seq') AS id RETURNING id, schema"""
# Returns the id of a generation that was asked for, which is begun now.
BEGIN_ASKED = """UPDATE projections.generations SET version = %(version)s, state = %(state)s, upto = %(upto)s,
    changed_at = now() WHERE id = %(asked)s AND state IN ('pending', 'replaying') RETURNING id, schema"""
# Returns nothing; waits for the live writer's transaction to end and keeps the next one waiting.
LOCK_PROJECTION = "SELECT pg_advisory_xact_lock(7303, hashtext(%s))"
# Returns the schema that serves; the live writer's half of the same lock.
SHARE_PROJECTION = "SELECT projections.share(%s)"
# Returns nothing; from here on the schema serves.
POINT = """INSERT INTO projections.live (projection, schema) VALUES (%s, %s)
    ON CONFLICT (projection) DO UPDATE SET schema = excluded.schema"""
# Returns nothing; the generation that served until now does so no more.
RETIRE = """UPDATE projections.generations SET state = 'retired', changed_at = now()
    WHERE projection = %s AND state = 'live' AND kind = 'rebuild'"""
# Returns nothing; a generation serves, unless somebody dropped it.
SERVE = """UPDATE projections.generations SET state = 'live', served_at = now(), changed_at = now()
    WHERE id = %s AND state IN ('replaying', 'catching_up', 'live')"""
# Returns nothing; a generation goes on to its next state, unless somebody dropped it.
ADVANCE = """UPDATE projections.generations SET state = %s, changed_at = now()
    WHERE id = %s AND state IN ('replaying', 'catching_up')"""
# Returns the generation that served before and is to serve again: the one that is named, the one with which somebody
# had begun, or the newest that still stands; it is no longer dropped.
REVIVE = """UPDATE projections.generations SET state = 'catching_up', changed_at = now() WHERE id = (
        SELECT id FROM projections.generations WHERE projection = %(name)s AND version = %(version)s
            AND id = coalesce(%(named)s, id) AND served_at IS NOT NULL AND state IN ('retired', 'catching_up')
            AND to_regnamespace(quote_ident(schema)) IS NOT NULL
        ORDER BY state, id DESC LIMIT 1)
    AND state IN ('retired', 'catching_up') RETURNING id, schema"""
# Returns nothing; the schema is gone.
MARK_DROPPED = """UPDATE projections.generations SET changed_at = now(),
    state = CASE state WHEN 'failed' THEN state ELSE 'dropped' END WHERE schema = %s"""
# Returns the generation that serves a projection.
SELECT_LIVE = """SELECT g.id, g.schema, g.version FROM projections.live l JOIN projections.generations g USING (schema)
    WHERE l.projection = %s"""
# Returns the projections whose schema that serves is not there.
SELECT_LOST = "SELECT projection FROM projections.live WHERE to_regnamespace(quote_ident(schema)) IS NULL"
# Returns the generation that a rebuild is making, an interrupted one left, or somebody asked for, whether it served
# before and whether it was asked for.
SELECT_UNFINISHED = """SELECT id, schema, version, state, upto, served_at IS NOT NULL, asked_by IS NOT NULL
    FROM projections.generations
    WHERE projection = %s AND state IN ('pending', 'replaying', 'catching_up') AND kind = 'rebuild'"""
# Returns nothing; whoever makes a generation that is never to serve holds it until the connection ends.
LOCK_GENERATION = "SELECT pg_advisory_lock(7309, %s)"
# Returns the schemas that lost the pointer long enough ago for every reader to have left, those set aside by
# processes that are gone, and those of replays that are over. What somebody is still making is left to them: they see
# that it is wanted no more.
SELECT_DROPPABLE = """WITH making AS (
        SELECT g.id FROM projections.generations g JOIN pg_locks l ON (classid = 7309 AND objid = g.id::oid)
            OR (kind = 'rebuild' AND classid = 7307 AND objid = (hashtext(projection)::bigint & 4294967295)::oid)
        WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    SELECT schema FROM projections.generations AS g WHERE changed_at < now() - make_interval(secs => %(seconds)s)
        AND (state = 'retired' OR (state = 'failed' AND to_regnamespace(schema) IS NOT NULL)
        OR (state = 'dropping' AND id NOT IN (SELECT id FROM making))
        OR ((state = 'replaying' OR (state = 'ready' AND kind = 'travel')) AND kind <> 'rebuild'
            AND asked_by IS NULL AND id NOT IN (SELECT id FROM making)
            AND NOT EXISTS (SELECT FROM projections.replays r
                WHERE schema = ANY(r.schemas) AND r.state = 'ready' AND r.expires_at > now())))"""
# Returns one of them if it still is, and until the commit nobody can let it serve again.
LOCK_DROPPABLE = SELECT_DROPPABLE + " AND schema = %(schema)s FOR UPDATE OF g"
# Returns nothing; what was made aside, told and dropped is remembered for three months.
FORGET_OLD = """DELETE FROM projections.generations
    WHERE state IN ('dropped', 'completed') AND changed_at < now() - interval '90 days'"""


class GenerationCancelled(RuntimeError):
    """Somebody dropped the generation while it was being made."""


def create(
    conn: Connection[Any],
    projection: Projection,
    *,
    state: str,
    upto: int,
    kind: str = "rebuild",
    asked: int | None = None,
) -> tuple[int, str]:
    """Make an empty generation without keys and indexes, that which was `asked` for if any; returns id and schema.

    Raises Unwanted where what was asked for was dropped meanwhile.
    """
    said = {"name": projection.name, "version": projection.version, "state": state, "upto": upto, "kind": kind}
    row = conn.execute(BEGIN_ASKED if asked else INSERT_GENERATION, {**said, "asked": asked}).fetchone()
    if row is None:
        raise GenerationCancelled(asked)
    generation, schema = cast("tuple[int, str]", row)
    if asked:
        conn.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)))
    conn.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
    _in_schema(conn, schema, HOUSEKEEPING + projection.schema().tables)
    conn.execute(
        SQL("INSERT INTO {} SELECT shard, 0 FROM generate_series(0, %s) AS shard").format(
            Identifier(schema, "progress")
        ),
        (SHARDS - 1,),
    )
    return generation, schema


def finish(conn: Connection[Any], projection: Projection, schema: str, *, analyzed: bool = False) -> None:
    """Give a generation the indexes it lacks, keys, grants and row-level security, and statistics if not `analyzed`."""
    _, indexes, keys = projection.schema()
    _in_schema(conn, schema, ";\n".join([*indexes, keys]))
    has_reader = conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (READER,)).fetchone()
    if has_reader:
        conn.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(Identifier(schema), Identifier(READER)))
    for table in projection.tables:
        name = Identifier(schema, table.name)
        conn.execute(SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(name))
        conn.execute(
            SQL(
                "CREATE POLICY tenant ON {} USING"
                " (business_id = nullif(current_setting('app.business_id', true), '')::bigint)"
            ).format(name)
        )
        if has_reader:
            conn.execute(SQL("GRANT SELECT ON {} TO {}").format(name, Identifier(READER)))
        if not analyzed:
            conn.execute(SQL("ANALYZE {}").format(name))


def set_state(conn: Connection[Any], generation: int, state: str) -> None:
    """Record what a generation is now."""
    conn.execute("UPDATE projections.generations SET state = %s, changed_at = now() WHERE id = %s", (state, generation))


def advance(conn: Connection[Any], generation: int, state: str) -> None:
    """Take a generation to its next state; until the commit nobody can drop it. Raises Unwanted where somebody did."""
    if not conn.execute(ADVANCE, (state, generation)).rowcount:
        raise GenerationCancelled(generation)


def adopt(conn: Connection[Any], projection: str, generation: int, schema: str) -> None:
    """Point to a generation that has caught up; the caller's transaction holds the projection's lock.

    Raises Unwanted.
    """
    conn.execute(RETIRE, (projection,))
    conn.execute(POINT, (projection, schema))
    if not conn.execute(SERVE, (generation,)).rowcount:
        raise GenerationCancelled(generation)


def live(conn: Connection[Any], projection: str) -> tuple[int, str, int] | None:
    """Return id, schema and projector version of the generation that serves."""
    return cast("tuple[int, str, int] | None", conn.execute(SELECT_LIVE, (projection,)).fetchone())


def projection_of(conn: Connection[Any], generation: int) -> tuple[str, str]:
    """Return the projection that a generation is of, and its state."""
    row = conn.execute("SELECT projection, state FROM projections.generations WHERE id = %s", (generation,)).fetchone()
    return cast("tuple[str, str]", row)


def ensure_live(conn: Connection[Any], registry: Mapping[str, Projection]) -> list[str]:
    """Give every projection that has no generation its first one, empty; returns the names of those given."""
    made = []
    for projection in registry.values():
        with conn.transaction():
            conn.execute(LOCK_PROJECTION, (projection.name,))
            if live(conn, projection.name) is None:
                generation, schema = create(conn, projection, state="live", upto=0)
                finish(conn, projection, schema)
                conn.execute(POINT, (projection.name, schema))
                conn.execute(SERVE, (generation,))
                made.append(projection.name)
    return made


def lost(conn: Connection[Any]) -> list[str]:
    """Return the projections whose serving tables somebody dropped."""
    return [name for (name,) in conn.execute(SELECT_LOST).fetchall()]


def drop(conn: Connection[Any], schema: str) -> None:
    """Drop a generation's schema, for good."""
    drop_schema(conn, schema)
    conn.execute(MARK_DROPPED, (schema,))


def drop_schema(conn: Connection[Any], schema: str) -> None:
    """Drop a generation's schema; what is known of it stays."""
    conn.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)))


def drop_retired(conn: Connection[Any], *, after_seconds: float = 60.0) -> list[str]:
    """Drop schemas that lost the pointer at least so long ago; those in use are left for the next time."""
    conn.execute(FORGET_OLD)
    dropped = []
    for (schema,) in conn.execute(SELECT_DROPPABLE, {"seconds": after_seconds}).fetchall():
        try:
            with conn.transaction():
                conn.execute("SET LOCAL lock_timeout = '200ms'")
                if conn.execute(LOCK_DROPPABLE, {"seconds": after_seconds, "schema": schema}).fetchone():
                    drop(conn, schema)
                    dropped.append(schema)
        except LockNotAvailable:
            logger.info("generation still in use", extra={"schema": schema})
    return dropped


def drop_retired_by(conn: Connection[Any]) -> list[str]:
    """Drop what serves no more over a connection that is closed afterwards."""
    with conn:
        return drop_retired(conn)


def describe(conn: Connection[Any], projection: str) -> dict[str, Any]:
    """Return where one projection stands."""
    (found,) = (item for item in standing(conn) if item["name"] == projection)
    return found


def standing(conn: Connection[Any]) -> list[dict[str, Any]]:
    """Return where projections stand, for operators: name, generation, version, position, lag, parked, state."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM projections.standing()").fetchall()


def _in_schema(conn: Connection[Any], schema: str, script: str) -> None:
    conn.execute("SELECT set_config('search_path', %s, true)", (schema,))
    conn.execute(script)
    conn.execute("SELECT set_config('search_path', 'pg_catalog', true)")
