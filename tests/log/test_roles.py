"""What each role of the database may do to the log, whatever the code that acts as it has in mind."""

import pytest
from psycopg.errors import InsufficientPrivilege

from shared.eventstore.store import EventStore
from shared.postgres.database import PROJECTOR, READER, WRITER
from tests.support.log_facts import connected, rows, stored

INSERT_EVENT = """INSERT INTO log.events
    SELECT notification_id + 1, 'forged', 1, topic, state, business_id, recorded_at, meta, hash FROM log.events"""
FORGERIES = {
    "change an event": "UPDATE log.events SET state = '{}'",
    "change an event through the view": "UPDATE log.history SET topic = 'forged'",
    "delete an event": "DELETE FROM log.events",
    "empty the log": "TRUNCATE log.events",
    "insert an event past the chain": INSERT_EVENT,
    "change a claim": "UPDATE log.index_rows SET value = 2",
    "delete a claim": "DELETE FROM log.index_rows",
    "change an answer": "UPDATE log.commands SET result = '{}'",
    "forget a command": "DELETE FROM log.commands",
    "forget a counter": "DELETE FROM log.counters",
    "replace the function": "CREATE OR REPLACE FUNCTION log.append() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "switch off constraints": "ALTER TABLE log.events DISABLE TRIGGER ALL",
}
APPEND = "SELECT log.append(7, '{a}', '{1}', '{identity.LoggedIn}', '{x}', '{}')"
# Returns the tables and views of some schemas.
TABLES = """SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'v') ORDER BY 1"""
# Returns those of them that a role has one of the privileges on.
PRIVILEGES = TABLES.replace(" ORDER", " AND has_table_privilege(%s, c.oid, %s) ORDER")
EVERY_SCHEMA = ["audit", "log", "vault", "credentials", "files", "jobs", "projections"]


@pytest.mark.parametrize("role", [WRITER, PROJECTOR, READER])
def test_no_role_can_rewrite_the_log(store: EventStore, database_url: str, role: str) -> None:
    store.recorder.insert_events([stored("a", 1)])
    with connected(database_url, role) as conn:
        for deed, statement in FORGERIES.items():
            with pytest.raises(InsufficientPrivilege):
                assert conn.execute(statement.encode()) is None, f"{role} could {deed}"
    assert rows(database_url, "SELECT originator_id, topic FROM log.events") == [("a", "identity.LoggedIn")]


def test_only_the_writer_appends(database_url: str) -> None:
    for role in (PROJECTOR, READER):
        with connected(database_url, role) as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(APPEND)
    with connected(database_url, WRITER) as conn:
        assert conn.execute(APPEND).fetchone() == (1,)


def test_the_reader_sees_nothing_of_log_keys_and_credentials(database_url: str) -> None:
    with connected(database_url, READER) as conn:
        for (table,) in rows(database_url, TABLES, [s for s in EVERY_SCHEMA if s != "projections"]):
            if table not in {"audit.verifications", "jobs.processes"}:
                with pytest.raises(InsufficientPrivilege):
                    assert conn.execute(f"SELECT 1 FROM {table}".encode()) is None, table  # noqa: S608 - our own names


def test_roles_hold_no_more_than_they_need(database_url: str) -> None:
    def allowed(role: str, privilege: str) -> list[str]:
        return [table for (table,) in rows(database_url, PRIVILEGES, EVERY_SCHEMA, role, privilege)]

    readable = ["audit.verifications", "jobs.processes", "projections.live", "projections.replays"]
    assert allowed(READER, "SELECT") == readable
    assert allowed(READER, "INSERT, UPDATE, DELETE, TRUNCATE") == []
    assert [t for t in allowed(WRITER, "INSERT, UPDATE, DELETE, TRUNCATE") if t.startswith("log.")] == ["log.counters"]
    assert [t for t in allowed(WRITER, "INSERT, UPDATE, DELETE, TRUNCATE") if t.startswith("projections.")] == []
    assert [t for t in allowed(PROJECTOR, "SELECT") if t.startswith(("credentials.", "files."))] == []
    assert [t for t in allowed(PROJECTOR, "INSERT, UPDATE, DELETE, TRUNCATE") if not t.startswith("projections.")] == [
        "jobs.processes"
    ]
    assert [t for r in (WRITER, PROJECTOR, READER) for t in allowed(r, "TRUNCATE")] == []


def test_readers_see_the_replays_of_their_shop_only(database_url: str) -> None:
    insert = """INSERT INTO projections.replays (id, business_id, user_id, as_of, day, position, expires_at)
        VALUES (gen_random_uuid(), %s, 1, now(), current_date, 0, now())"""
    with connected(database_url, PROJECTOR) as conn:
        for business in (7, 23):
            conn.execute(insert, (business,))
    with connected(database_url, READER) as conn:
        for tenant, seen in (("", []), ("7", [(7,)]), ("99", [])):
            conn.execute("SELECT set_config('app.business_id', %s, false)", (tenant,))
            assert conn.execute("SELECT business_id FROM projections.replays").fetchall() == seen
    with connected(database_url, PROJECTOR) as conn:
        assert len(conn.execute("SELECT 1 FROM projections.replays FOR UPDATE").fetchall()) == 2
