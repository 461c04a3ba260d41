import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import pytest
from psycopg.conninfo import make_conninfo

from shared.domain.refusals.identity import EmailTaken
from shared.eventstore.recorder import Append
from shared.eventstore.store import EventStore, Metadata, Outcome, StoreError, UnitOfWork
from shared.eventstore.vault import MasterKey
from shared.postgres.database import WRITER
from shared.runtime.settings import Settings, UnsafeSettings
from tests.support.application import SECRET
from tests.support.log_facts import connected, fact, rows, stored
from tests.support.waiting import wait_until

EVERY_EVENT = "SELECT originator_id, originator_version, notification_id FROM log.events ORDER BY notification_id"
LONGEST_WAIT = 0.1

# Fill the log with many pages and dead rows, and vacuum it slowly.
FILL_LOG = """INSERT INTO log.events SELECT n, 'old-' || n, 1, 'identity.LoggedIn', '{}', 7, now(), '{}', '\\x00'
    FROM generate_series(1, 40000) AS n"""
LEAVE_DEAD_ROWS = "DELETE FROM log.events WHERE notification_id % 50 = 0 AND notification_id < 40000"
SLOWLY = "SET vacuum_cost_delay = '10ms'; SET vacuum_cost_limit = 25"
VACUUM = "VACUUM (FREEZE, INDEX_CLEANUP ON) log.events"
# Returns whether a VACUUM holds the log.
VACUUM_HOLDS_LOG = """SELECT count(*) = 1 FROM pg_locks WHERE relation = 'log.events'::regclass
    AND mode = 'ShareUpdateExclusiveLock' AND granted"""


def test_positions_are_consecutive_over_calls_and_streams(store: EventStore, database_url: str) -> None:
    assert list(store.recorder.insert_events([stored("a", 1), stored("b", 1)])) == [1, 2]
    assert list(store.recorder.insert_events([stored("a", 2)])) == [3]
    assert list(store.recorder.insert_events([])) == []
    assert rows(database_url, EVERY_EVENT) == [("a", 1, 1), ("b", 1, 2), ("a", 2, 3)]
    assert store.head() == 3


def test_an_append_that_fails_leaves_no_gap(store: EventStore) -> None:
    store.recorder.insert_events([stored("a", 1)])
    with pytest.raises(StoreError):
        store.recorder.insert_events([stored("b", 1), stored("a", 1)])
    assert list(store.recorder.insert_events([stored("b", 1)])) == [2]


def test_events_carry_business_metadata_and_the_clock_of_their_own_append(store: EventStore, database_url: str) -> None:
    store.recorder.insert_events([stored("a", 1)], append=Append(7, {"actor": "user-12"}))
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    with connected(database_url) as owner:
        owner.execute("UPDATE log.events SET recorded_at = %s", (tomorrow,))
    store.recorder.insert_events([stored("a", 2)], append=Append(7, {"actor": "user-12"}))
    first, second = store.load("a")
    assert (second.business_id, second.meta, second.topic) == (7, {"actor": "user-12"}, "identity.LoggedIn")
    assert first.recorded_at == tomorrow
    assert second.recorded_at < tomorrow
    assert rows(database_url, "SELECT position FROM log.clock_steps") == [(2,)]


def test_of_two_writers_of_the_same_version_one_wins_entirely(store: EventStore, database_url: str) -> None:
    both_decided = threading.Barrier(2)

    def write(business: int) -> Outcome[int]:
        first_time = [True]

        def decide(unit: UnitOfWork) -> int:
            unit.sql("INSERT INTO credentials.refusals VALUES (now(), %s, NULL, 'a trace')", (bytes([business]),))
            unit.claim("name", bytes([business]), business)
            unit.append("shared", 0, fact(business))
            if first_time.pop() if first_time else False:
                both_decided.wait(10)
            return business

        return store.execute(business, Metadata(command_id="write"), decide)

    with ThreadPoolExecutor(2) as pool:
        attempts = [pool.submit(write, business) for business in (1, 2)]
    winners = [a.result().result for a in attempts if a.exception() is None]
    losers = [type(a.exception()) for a in attempts if a.exception() is not None]
    assert len(winners) == 1
    assert [issubclass(loser, StoreError) for loser in losers] == [True]
    assert rows(database_url, "SELECT business_id FROM log.events") == [(winners[0],)]
    assert rows(database_url, "SELECT value FROM log.index_rows") == [(winners[0],)]
    assert rows(database_url, "SELECT scope FROM log.commands") == [(winners[0],)]
    assert rows(database_url, "SELECT account_key FROM credentials.refusals") == [(bytes([winners[0]]),)]


@pytest.mark.parametrize(("everywhere", "second_business"), [(True, 2), (False, 1)])
def test_a_second_command_finds_the_claimed_key(store: EventStore, *, everywhere: bool, second_business: int) -> None:
    both_looked = threading.Barrier(2)
    key = b"ali@shop.bd"

    def register(user: int, business: int) -> Outcome[int]:
        waits = [True]

        def decide(unit: UnitOfWork) -> int:
            taken = unit.find("email", [key], everywhere=everywhere)
            if everywhere and waits:
                waits.pop()
                both_looked.wait(10)
            if taken:
                raise EmailTaken
            unit.claim("email", key, user, everywhere=everywhere)
            unit.append(f"user-{user}", 0, fact(user))
            return user

        return store.execute(business, Metadata(command_id=f"register-{user}"), decide)

    with ThreadPoolExecutor(2) as pool:
        attempts = [pool.submit(register, 11, 1), pool.submit(register, 12, second_business)]
    assert sorted(type(a.exception()).__name__ for a in attempts) == ["EmailTaken", "NoneType"]
    assert len(store.load("user-11")) + len(store.load("user-12")) == 1


def test_two_businesses_may_claim_the_same_key_of_their_own(store: EventStore) -> None:
    for business in (1, 2):
        store.execute(business, Metadata(), lambda unit: unit.claim("product", b"tea", 100 + (unit.business_id or 0)))
    found = [store.execute(b, Metadata(), lambda unit: unit.find("product", [b"tea", b"rice"])).result for b in (1, 2)]
    assert found == [{b"tea": 101}, {b"tea": 102}]
    assert store.execute(1, Metadata(), lambda unit: unit.find("product", [b"tea"], everywhere=True)).result == {}


def test_a_released_key_may_be_claimed_by_another(store: EventStore) -> None:
    store.execute(1, Metadata(), lambda unit: unit.claim("email", b"e", 11, everywhere=True))
    with pytest.raises(StoreError):
        store.execute(2, Metadata(), lambda unit: unit.claim("email", b"e", 12, everywhere=True))
    store.execute(2, Metadata(), lambda unit: unit.release("email", b"e"))  # of business 2's own, not this one
    assert store.execute(1, Metadata(), lambda u: u.find("email", [b"e"], everywhere=True)).result == {b"e": 11}

    def hand_over(unit: UnitOfWork) -> None:
        unit.release("email", b"e", everywhere=True)
        unit.claim("email", b"e", 12, everywhere=True)

    store.execute(2, Metadata(), hand_over)
    assert store.execute(1, Metadata(), lambda u: u.find("email", [b"e"], everywhere=True)).result == {b"e": 12}


def test_a_refusal_leaves_nothing(store: EventStore, database_url: str) -> None:
    def decide(unit: UnitOfWork) -> NoReturn:
        unit.sql("INSERT INTO credentials.refusals VALUES (now(), '\\x01', NULL, 'a trace')")
        unit.vault.seal("user-1", {"name": "Ali"})
        unit.claim("email", b"e", 1, everywhere=True)
        unit.append("user-1", 0, fact(1))
        raise EmailTaken

    for _ in range(2):  # the same command id again is no repetition: it was never carried out
        with pytest.raises(EmailTaken):
            store.execute(1, Metadata(command_id="c"), decide)
    for table in ("log.events", "log.index_rows", "log.commands", "credentials.refusals", "vault.keys"):
        assert rows(database_url, f"SELECT * FROM {table}") == [], table  # noqa: S608 - names written above


def test_ids_are_allotted_once_in_blocks_and_per_business(store: EventStore) -> None:
    with ThreadPoolExecutor(6) as pool:
        firsts = list(pool.map(lambda _: store.allot(7, "transaction", 10), range(60)))
    assert sorted(firsts) == list(range(1, 601, 10))
    assert store.allot(70, "transaction") == store.allot(7, "product") == store.allot(None, "transaction") == 1
    assert store.allot(7, "transaction") == 601


def test_an_append_does_not_wait_for_vacuum(database_url: str) -> None:
    """The longest of many appends within one VACUUM; a busy machine may spoil a round, a lock would spoil them all."""
    quick = make_conninfo(database_url, options=f"-c role={WRITER} -c synchronous_commit=off")
    store = EventStore(quick, MasterKey(SECRET), pool_size=1)
    with connected(database_url) as owner:
        owner.execute("ALTER TABLE log.events SET (autovacuum_enabled = off)")  # one VACUUM at a time
        owner.execute(FILL_LOG)
        owner.execute(LEAVE_DEAD_ROWS)
    try:
        longest = [_longest_append_during_vacuum(store, database_url, round_) for round_ in range(1)]
        while min(longest) > LONGEST_WAIT and len(longest) < 3:
            longest.append(_longest_append_during_vacuum(store, database_url, len(longest)))
    finally:
        store.close()
    assert min(longest) <= LONGEST_WAIT, longest


def _longest_append_during_vacuum(store: EventStore, url: str, round_: int) -> float:
    with connected(url) as vacuuming, connected(url) as watching:
        vacuuming.execute(
            "UPDATE log.events SET meta = '{}' WHERE notification_id % 50 = 1"
        )  # dead rows for each round
        vacuuming.execute(SLOWLY)
        thread = threading.Thread(target=vacuuming.execute, args=(VACUUM,))
        thread.start()
        wait_until(lambda: watching.execute(VACUUM_HOLDS_LOG).fetchone() == (True,))
        waits: list[float] = []
        while thread.is_alive():
            began = time.monotonic()
            store.recorder.insert_events([stored(f"new-{round_}", len(waits) + 1)], append=Append(7))
            waits.append(time.monotonic() - began)
            thread.join(0.003)
    assert len(waits) > 50 or max(waits) > LONGEST_WAIT, "the VACUUM was over too soon to say"
    return max(waits)


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_nothing_starts_with_the_functions_that_skip_the_logs_order(
    monkeypatch: pytest.MonkeyPatch, database_url: str, value: str
) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", value)
    with pytest.raises(RuntimeError, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
        EventStore(database_url, MasterKey(SECRET))
    with pytest.raises(UnsafeSettings, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
        Settings()
