"""Business days are opened by events, once each; a clock that jumped opens none, and a wrong day is corrected."""

import datetime as dt
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from shared.eventstore.codec import decode
from shared.eventstore.event import Event
from shared.eventstore.reader import LogReader
from shared.eventstore.store import EventStore
from shared.eventstore.system_events import DayCorrected, DayOpened
from shared.runtime.business_day import ZONE, date_of
from shared.runtime.heartbeat import beat
from tests.support.clocks import WrongClock
from write_side.clock.aggregate import MAX_JUMP, STEADY_SECONDS, Look, decide
from write_side.clock.handlers import STREAM, Calendar, correct


@pytest.fixture
def admin(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield conn


@pytest.fixture
def clock(admin: psycopg.Connection) -> WrongClock:
    """The database's clock and a machine's monotonic one."""
    return WrongClock(admin)


NOON = dt.datetime(2025, 11, 3, 6, tzinfo=dt.UTC)
DAYS = dt.timedelta(days=1)


def calendar(store: EventStore, clock: WrongClock, *, boot: str = "first", synchronised: bool = False) -> Calendar:
    return Calendar(store, boot=boot, elapsed=lambda: clock.elapsed, synchronised=lambda: synchronised)


def days(conn: psycopg.Connection) -> list[Event]:
    """Return the events of the stream of days, in order."""
    rows = conn.execute(
        "SELECT topic, state FROM log.events WHERE originator_id = %s ORDER BY originator_version", (STREAM,)
    ).fetchall()
    return [decode(topic, bytes(state)) for topic, state in rows]


def today(clock: WrongClock) -> dt.date:
    return date_of(clock.now())


def standing(conn: psycopg.Connection) -> tuple[float, float]:
    """Return by how many seconds the clock is behind, and how far it jumped, as /health and /metrics see it."""
    row = conn.execute("SELECT behind, jumped FROM jobs.clock_standing(%s)", (ZONE,)).fetchone()
    assert row is not None
    return row[0], row[1]


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
    expected = [DayOpened(opened)] if opened else []
    assert decide(Look(now, 0.0, last=last), trusted=False) == expected


def test_many_schedulers_open_one_day_once(store: EventStore, admin: psycopg.Connection, clock: WrongClock) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: Calendar(store)(), range(24)))
    assert days(admin) == [DayOpened(today(clock))]
    assert [day for day in answers if day] == [today(clock)]


def test_the_day_as_of_a_position_is_the_last_one_opened_by_then(store: EventStore, admin: psycopg.Connection) -> None:
    assert LogReader.day(admin, 2**62) is None
    day = Calendar(store)()
    assert LogReader.day(admin, store.head()) == day
    assert LogReader.day(admin, store.head() - 1) is None


@pytest.mark.parametrize("ahead", [2, 1500])
def test_a_day_opened_by_a_wrong_clock_is_corrected_once_a_time_server_confirms_a_steady_clock(
    store: EventStore, admin: psycopg.Connection, clock: WrongClock, ahead: int, caplog: pytest.LogCaptureFixture
) -> None:
    right, wrong = today(clock), today(clock) + ahead * DAYS
    clock.set_by(ahead * DAYS)
    assert calendar(store, clock)() == wrong
    clock.set_by(dt.timedelta(0))
    booted = calendar(store, clock, boot="second", synchronised=True)
    with caplog.at_level(logging.ERROR):
        assert booted() is None
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "the clock is behind the last opened day"
    ]
    assert standing(admin)[0] > (ahead - 1) * 86_400
    clock.passes(STEADY_SECONDS - 10)
    assert booted() is None
    clock.passes(10)
    assert booted() == right
    assert days(admin) == [DayOpened(wrong), DayCorrected(right, wrong)]
    assert LogReader.day(admin, store.head()) == right
    assert standing(admin) == (0, 0)
    clock.passes(86_400)
    assert booted() == right + DAYS


def test_a_clock_that_steps_is_not_steady(store: EventStore, clock: WrongClock) -> None:
    clock.set_by(3 * DAYS)
    calendar(store, clock)()
    clock.set_by(dt.timedelta(0))
    booted = calendar(store, clock, boot="second", synchronised=True)
    for step in range(4):
        clock.passes(STEADY_SECONDS - 10)
        clock.set_by(dt.timedelta(seconds=2 * (step % 2)))
        assert booted() is None


def test_without_a_second_source_only_an_operator_corrects_the_day(
    store: EventStore, admin: psycopg.Connection, clock: WrongClock
) -> None:
    right = today(clock)
    clock.set_by(2 * DAYS)
    wrong = calendar(store, clock)()
    assert wrong is not None
    clock.set_by(dt.timedelta(0))
    booted = calendar(store, clock, boot="second")
    for _ in range(3):
        clock.passes(STEADY_SECONDS)
        assert booted() is None
    assert correct(store, "rina") == {"date": str(right), "instead_of": str(wrong)}
    assert days(admin)[-1] == DayCorrected(right, wrong, "rina")
    assert correct(store, "rina") == {"date": str(right), "instead_of": None}
    assert booted() is None


@pytest.mark.parametrize(("ahead", "corrected"), [([0.0, 5.0], True), ([0.0, 90_000.0], False)])
def test_clocks_of_other_machines_are_a_second_source(
    store: EventStore, admin: psycopg.Connection, clock: WrongClock, ahead: list[float], corrected: bool
) -> None:
    clock.set_by(2 * DAYS)
    calendar(store, clock)()
    clock.set_by(dt.timedelta(0))
    booted = calendar(store, clock, boot="second", synchronised=True)
    booted()
    clock.passes(STEADY_SECONDS)
    for number, seconds in enumerate(ahead):
        beat(admin, f"api@elsewhere{number}:1", "api")
        admin.execute("UPDATE jobs.processes SET clock_ahead = %s WHERE name LIKE %s", (seconds, f"%{number}:1"))
    assert (booted() is not None) == corrected


@pytest.mark.parametrize("jump", [2 * DAYS, 1500 * DAYS, dt.timedelta(seconds=MAX_JUMP + 10)])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_jump_while_the_machine_runs_opens_no_day_until_the_clock_is_back(
    store: EventStore,
    admin: psycopg.Connection,
    clock: WrongClock,
    jump: dt.timedelta,
    direction: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    right = today(clock)
    running = calendar(store, clock)
    assert running() == right
    clock.set_by(direction * jump)
    with caplog.at_level(logging.ERROR):
        assert running() is None
        assert calendar(store, clock)() is None  # a scheduler that was started again on the same start of the machine
    assert {record.message.partition(":")[0] for record in caplog.records} == {"the clock jumped"}
    assert standing(admin)[1] == pytest.approx(direction * jump.total_seconds(), abs=60)
    clock.set_by(dt.timedelta(0))
    assert running() is None
    assert standing(admin) == (0, 0)
    clock.passes(86_400)
    assert running() == right + DAYS
    assert days(admin) == [DayOpened(right), DayOpened(right + DAYS)]


def test_a_jump_is_accepted_when_it_is_confirmed(
    store: EventStore, admin: psycopg.Connection, clock: WrongClock
) -> None:
    running = calendar(store, clock)
    first = running()
    assert first is not None
    clock.set_by(2 * DAYS)
    assert running() is None
    assert correct(store, "rina")["date"] == str(first + 2 * DAYS)
    assert running() is None
    clock.passes(86_400)
    assert running() == first + 3 * DAYS
    assert standing(admin) == (0, 0)


def test_a_clock_that_drifts_and_a_machine_that_slept_or_was_off_for_a_week_make_no_fuss(
    store: EventStore, admin: psycopg.Connection, clock: WrongClock, caplog: pytest.LogCaptureFixture
) -> None:
    first = calendar(store, clock)()
    assert first is not None
    running = calendar(store, clock)
    with caplog.at_level(logging.WARNING):
        for _ in range(10):  # a quarter of an hour per look: two and a half hours in sum
            clock.passes(900)
            clock.elapsed -= 890
            running()
        clock.passes(3 * 86_400)  # asleep: the time since the start of the machine goes on
        assert running() == today(clock)
        clock.passes(7 * 86_400)
        clock.elapsed = 12.0
        assert calendar(store, clock, boot="second")() == today(clock)
    assert caplog.records == []
    assert standing(admin) == (0, 0)
