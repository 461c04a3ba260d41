"""Positions by time, where the clock was set forward and back between appends."""

import datetime as dt
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.eventstore.recorder import Append
from shared.eventstore.store import EventStore
from tests.support.clocks import WrongClock
from tests.support.log_facts import connected, stored
from tests.support.servers import drop_database, fresh_database

# Writes a log with these stamps, as log.append would have stamped it.
STAMP = """WITH given AS (SELECT position, at, lag(at) OVER (ORDER BY position) AS before
        FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS g(at, position)),
    steps AS (INSERT INTO log.clock_steps SELECT position FROM given WHERE at < before)
    INSERT INTO log.events
    SELECT position, 's-' || position, 1, 'identity.LoggedIn', '{}', 7, at, '{}', '' FROM given"""
DAY = dt.datetime(2026, 11, 3, tzinfo=dt.UTC)


@pytest.fixture
def admin(database_url: str) -> Iterator[psycopg.Connection]:
    with connected(database_url) as conn:
        yield conn


def position_at(conn: psycopg.Connection, at: dt.datetime) -> int:
    row = conn.execute("SELECT log.position_at(%s)", (at,)).fetchone()
    assert row is not None
    found: int = row[0]
    return found


@given(hours=st.lists(st.integers(0, 50), max_size=40), asked=st.integers(-1, 51))
def test_the_position_at_a_moment_is_the_last_one_stamped_by_then(
    template_admin: psycopg.Connection, hours: list[int], asked: int
) -> None:
    stamps = [DAY + dt.timedelta(hours=hour) for hour in hours]
    moment = DAY + dt.timedelta(hours=asked)
    with template_admin.transaction(force_rollback=True):
        template_admin.execute(STAMP, (stamps,))
        expected = max((n for n, at in enumerate(stamps, 1) if at <= moment), default=0)
        assert position_at(template_admin, moment) == expected


@pytest.fixture(scope="module")
def template_admin(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A connection to one empty database for all examples, each of which is rolled back."""
    services, template = request.getfixturevalue("services"), request.getfixturevalue("template")
    url = fresh_database(services.database_url, template)
    with connected(url) as conn:
        yield conn
    drop_database(url)


def test_events_of_a_clock_ahead_count_as_recorded_before_the_first_event_after_it(
    store: EventStore, admin: psycopg.Connection
) -> None:
    clock = WrongClock(admin)
    store.recorder.insert_events([stored("a", 1)], append=Append(7))
    clock.set_by(dt.timedelta(days=1500))
    store.recorder.insert_events([stored("a", 2)], append=Append(7))
    ahead = clock.now()
    clock.set_by(dt.timedelta(0))
    clock.passes(60)
    between = clock.now() - dt.timedelta(seconds=1)
    store.recorder.insert_events([stored("a", 3), stored("a", 4)], append=Append(7))
    assert [position_at(admin, at) for at in (between, clock.now(), ahead)] == [1, 4, 4]
