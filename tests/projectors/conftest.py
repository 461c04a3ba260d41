from collections.abc import Iterator

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from projections.engine import generation_schemas
from projections.engine.follower import connect
from projections.registry import REGISTRY
from shared.postgres.database import PROJECTOR, migrate
from tests.support.servers import Services, drop_database, fresh_database
from tests.support.world import World

# Ends connections left over from the previous test.
CUT_OFF = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
# Empties every table that fills up while the application works, those of the generations that serve included; most of
# them are empty, and looking is quicker than deleting.
EMPTY = """DO $$ DECLARE
    name text;
    filled boolean;
BEGIN
    FOR name IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
        WHERE schemaname IN ('audit', 'log', 'vault', 'files', 'jobs')
        OR (schemaname IN (SELECT schema FROM projections.live) AND tablename <> 'progress')
    LOOP
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO filled;
        IF filled THEN
            EXECUTE 'DELETE FROM ' || name;
        END IF;
    END LOOP;
END $$"""
SELECT_SERVING = "SELECT schema FROM projections.live"
# Removes the pointer to a generation of another version than that of this release.
FORGET = """DELETE FROM projections.live l USING projections.generations g
    WHERE g.schema = l.schema AND l.projection = %s AND g.version <> %s"""
# Returns the schemas of the generations that do not serve.
SELECT_OTHERS = """DELETE FROM projections.generations WHERE schema NOT IN (SELECT schema FROM projections.live)
    RETURNING schema"""


@pytest.fixture(scope="session")
def scratch(services: Services, template: str) -> Iterator[str]:
    """A database that is emptied before every test that uses it, which is quicker than a new one."""
    url = quick_database(services, template)
    yield url
    drop_database(url)


@pytest.fixture
def world(scratch: str) -> Iterator[World]:
    """An empty log and the first generation of every projection."""
    empty(scratch)
    opened = World(scratch)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_world(services: Services, template: str) -> Iterator[World]:
    """A database for tests that take businesses of their own."""
    url = quick_database(services, template)
    opened = World(url)
    yield opened
    opened.close()
    drop_database(url)


def quick_database(services: Services, template: str) -> str:
    """Return a new database that does not wait for the disk; a copy has to grant again who may make schemas in it."""
    url = fresh_database(services.database_url, template)
    migrate(url)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(SQL("ALTER DATABASE {} SET synchronous_commit = off").format(Identifier(conn.info.dbname)))
    return url


def empty(url: str) -> None:
    """Bring a database back to an empty log and empty generations; deleting is quicker than making them again."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(CUT_OFF)
        for projection in REGISTRY.values():
            conn.execute(FORGET, (projection.name, projection.version))
        for (schema,) in conn.execute(SELECT_OTHERS).fetchall():
            conn.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)))
        conn.execute(EMPTY)
        for (schema,) in conn.execute(SELECT_SERVING).fetchall():
            conn.execute(SQL("UPDATE {} SET position = 0").format(Identifier(schema, "progress")))
        conn.execute("DELETE FROM projections.replays")
    with connect(url, role=PROJECTOR) as conn:
        generation_schemas.ensure_live(conn, REGISTRY)
