"""Small events to fill a log with, and connections to read it."""

from collections.abc import Iterator
from typing import Any

import psycopg
from eventsourcing.persistence import StoredEvent
from psycopg import Connection

from shared.domain.events.identity import LoggedIn
from shared.eventstore.codec import encode


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


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
