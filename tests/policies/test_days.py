import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from shared.eventstore.codec import decode
from shared.eventstore.reader import LogReader
from shared.eventstore.store import EventStore
from shared.eventstore.system_events import DayOpened
from write_side.clock.handlers import STREAM, next_day, open_day


@pytest.fixture
def admin(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield conn


NOON = dt.datetime(2025, 11, 3, 6, tzinfo=dt.UTC)


def days(conn: psycopg.Connection) -> list[dt.date]:
    """Return the days that were opened, in order."""
    rows = conn.execute(
        "SELECT topic, state FROM log.events WHERE originator_id = %s ORDER BY originator_version", (STREAM,)
    ).fetchall()
    events = [decode(topic, bytes(state)) for topic, state in rows]
    return [event.date for event in events if isinstance(event, DayOpened)]


def in_dhaka(conn: psycopg.Connection) -> dt.date:
    row = conn.execute("SELECT (clock_timestamp() AT TIME ZONE 'Asia/Dhaka')::date").fetchone()
    assert row is not None
    day: dt.date = row[0]
    return day


@pytest.mark.parametrize(
    ("last", "now", "opened"),
    [
        (None, NOON, dt.date(2025, 11, 3)),
        (dt.date(2025, 11, 2), NOON, dt.date(2025, 11, 3)),
        (dt.date(2025, 10, 1), NOON, dt.date(2025, 11, 3)),
        (dt.date(2025, 11, 3), NOON, None),
        (dt.date(2025, 11, 4), NOON, None),
        (dt.date(2025, 11, 3), dt.datetime(2025, 11, 3, 17, 59, 59, tzinfo=dt.UTC), None),
        (dt.date(2025, 11, 3), dt.datetime(2025, 11, 3, 18, tzinfo=dt.UTC), dt.date(2025, 11, 4)),
    ],
)
def test_a_day_is_opened_when_it_has_come_in_dhaka_and_never_twice(
    last: dt.date | None, now: dt.datetime, opened: dt.date | None
) -> None:
    assert [event.date for event in next_day(last, now)] == [opened] * (opened is not None)


def test_many_schedulers_open_one_day_once(store: EventStore, admin: psycopg.Connection) -> None:
    before = in_dhaka(admin)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: open_day(store), range(24)))
    opened = days(admin)
    assert opened == sorted(set(opened))
    assert before <= opened[0] <= in_dhaka(admin)
    assert [day for day in answers if day] == opened


def test_the_day_as_of_a_position_is_the_last_one_opened_by_then(store: EventStore, admin: psycopg.Connection) -> None:
    assert LogReader.day(admin, 2**62) is None
    day = open_day(store)
    assert LogReader.day(admin, store.head()) == day
    assert LogReader.day(admin, store.head() - 1) is None
