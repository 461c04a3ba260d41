"""Small events to fill a log with, and connections to read it."""

from collections.abc import Iterator
from typing import Any

import psycopg
from eventsourcing.persistence import StoredEvent
from psycopg import Connection

from shared.domain.events.identity import LoggedIn
from shared.eventstore.codec import encode

# End other connections, and delete what tests have written.
CUT_OFF_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
EMPTY = """DO $$ DECLARE
    name text;
    filled boolean;
BEGIN
    FOR name IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
        WHERE schemaname IN ('audit', 'log', 'vault', 'credentials', 'files', 'jobs')
    LOOP
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO filled;
        IF filled THEN
            EXECUTE 'TRUNCATE ' || name;
        END IF;
    END LOOP;
END $$"""


def fact(number: int) -> LoggedIn:
    return LoggedIn(number, "family")


def stored(stream: str, version: int, number: int = 0) -> StoredEvent:
    return StoredEvent(stream, version, LoggedIn.topic, encode(fact(number)))


def connected(url: str, role: str | None = None) -> Connection[Any]:
    """Connect in autocommit, as the database's owner where no role is given."""
    return psycopg.connect(url, autocommit=True, options=f"-c role={role}" if role else "")


def rows(url: str, query: Any, *params: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - any statement with its values
    """Return what the owner of the database sees."""
    with connected(url) as conn:
        return conn.execute(query, params).fetchall()


def empty(url: str) -> None:
    """Make a migrated database as if nothing had ever happened in it."""
    with connected(url) as conn:
        conn.execute(CUT_OFF_OTHERS)
        conn.execute(EMPTY)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
