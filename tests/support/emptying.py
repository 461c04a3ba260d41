"""Makes a database as if nothing had ever happened in it, which takes a fifth of the time of making another one."""

from importlib.resources import files

import psycopg
from psycopg.sql import SQL, Identifier

from projections.engine import generation_schemas
from projections.engine.follower import connect
from projections.registry import REGISTRY
from shared.postgres.database import PROJECTOR

# The right clock, which a test may have replaced.
CLOCK = files("shared.postgres.functions") / "log.clock.sql"
# Ends connections left over from the previous test.
CUT_OFF = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
# Removes the pointer to a generation of another version than that of this release.
FORGET = """DELETE FROM projections.live l USING projections.generations g
    WHERE g.schema = l.schema AND l.projection = %s AND g.version <> %s"""
# Removes the generations that do not serve, and those whose projection is not registered; returns their schemas.
FORGET_OTHERS = """WITH gone AS (DELETE FROM projections.live WHERE projection <> ALL(%s))
    DELETE FROM projections.generations WHERE schema NOT IN (SELECT schema FROM projections.live
        WHERE projection = ANY(%s)) RETURNING schema"""
# Empties every table that fills up while the application works, those of the generations that serve included. Most have
# never had a row; deleting a few rows is quicker than truncating.
EMPTY = """DO $$ DECLARE
    name text;
    size bigint;
BEGIN
    FOR name, size IN SELECT format('%I.%I', schemaname, tablename),
            pg_relation_size(format('%I.%I', schemaname, tablename)::regclass) FROM pg_tables
        WHERE schemaname IN ('audit', 'log', 'vault', 'credentials', 'files', 'jobs')
            OR (schemaname IN (SELECT schema FROM projections.live) AND tablename <> 'progress')
    LOOP
        IF size > 65536 THEN
            EXECUTE 'TRUNCATE ' || name;
        ELSIF size > 0 THEN
            EXECUTE 'DELETE FROM ' || name;
        END IF;
    END LOOP;
    FOR name IN SELECT schema FROM projections.live LOOP
        EXECUTE format('UPDATE %I.progress SET position = 0 WHERE position <> 0', name);
    END LOOP;
    DELETE FROM projections.replays;
    PERFORM setval('projections.generations_id_seq', max(id)) FROM projections.generations HAVING count(*) > 0;
END $$"""


def empty(url: str) -> None:
    """Bring a migrated database back to an empty log and empty first generations of every projection."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(CUT_OFF)
        conn.execute(CLOCK.read_bytes())
        for projection in REGISTRY.values():
            conn.execute(FORGET, (projection.name, projection.version))
        for (schema,) in conn.execute(FORGET_OTHERS, (list(REGISTRY), list(REGISTRY))).fetchall():
            conn.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)))
        conn.execute(EMPTY)
        serving = conn.execute("SELECT count(*) FROM projections.live").fetchone()
    if serving != (len(REGISTRY),):
        with connect(url, role=PROJECTOR) as conn:
            generation_schemas.ensure_live(conn, REGISTRY)
