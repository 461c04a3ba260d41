import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from shared.errors import IdempotencyKeyReused
from shared.eventstore import recorder
from shared.eventstore.store import EventStore, Metadata, Outcome, StoreError, UnitOfWork
from shared.eventstore.vault import MasterKey
from tests.support.application import SECRET
from tests.support.gate import before_database
from tests.support.log_facts import connected, fact, rows
from tests.support.waiting import Stopwatch, wait_until

CUT_OFF_THE_POOL = """SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'smartmarket' AND datname = current_database()"""
COUNT_OF_BUSINESS = "SELECT count(*) AS n FROM log.events WHERE business_id = %s"


def count_up(unit: UnitOfWork) -> int:
    """Append the next number to a stream of its own, so that no version guards the sequence."""
    number: int = unit.sql(COUNT_OF_BUSINESS, (unit.business_id,))[0]["n"] + 1
    unit.append(f"count-{uuid.uuid4()}", 0, fact(number))
    return number


def test_commands_of_one_business_decide_one_after_the_other(store: EventStore) -> None:
    deciding: list[int] = []

    def decide(unit: UnitOfWork) -> int:
        deciding.append(1)
        assert len(deciding) == 1
        number = count_up(unit)
        deciding.pop()
        return number

    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(lambda _: store.execute(7, Metadata(), decide).result, range(60)))
    assert sorted(numbers) == list(range(1, 61))


def test_another_business_does_not_wait(store: EventStore) -> None:
    deciding, other_is_done = threading.Event(), threading.Event()

    def slow(unit: UnitOfWork) -> int:
        deciding.set()
        assert other_is_done.wait(10)
        return count_up(unit)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.execute, 7, Metadata(), slow)
        assert deciding.wait(10)
        assert store.execute(70, Metadata(), count_up).result == 1
        assert store.execute(None, Metadata(), lambda unit: unit.append("rules", 0, fact(1))).position == 2
        other_is_done.set()
        assert waiting.result().position == 3


def test_a_stalled_command_releases_its_shop_and_decides_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_IDLE_SECONDS", 0.2)
    deciding, other_is_done, seen = threading.Event(), threading.Event(), list[int]()

    def stopped(unit: UnitOfWork) -> int:
        deciding.set()
        assert other_is_done.wait(30)
        seen.append(count_up(unit))
        return seen[-1]

    store = EventStore(database_url, MasterKey(SECRET), pool_size=2)
    with closing(store), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.execute, 7, Metadata(), stopped)
        assert deciding.wait(10)
        assert store.execute(7, Metadata(), count_up).result == 1
        other_is_done.set()
        assert waiting.result(30).result == 2
        assert store.execute(7, Metadata(), count_up).result == 3
    assert seen == [2]


def test_a_command_learns_the_databases_time_and_what_its_streams_hold(store: EventStore, database_url: str) -> None:
    store.execute(7, Metadata(actor="user-1", request_id="r"), lambda unit: unit.append("a", 0, fact(1), fact(2)))
    ((clock,),) = rows(database_url, "SELECT clock_timestamp()")

    def decide(unit: UnitOfWork) -> tuple[float, list[int]]:
        history = unit.load("a")
        assert [r.event for r in history] == [fact(1), fact(2)]
        assert history[0].meta == {"actor": "user-1", "request_id": "r"}
        return (unit.now - clock).total_seconds(), [r.version for r in history]

    (ahead, versions), position, _ = store.execute(7, Metadata(), decide)
    assert 0 <= ahead < 10
    assert versions == [1, 2]
    assert position is None


@pytest.mark.parametrize("business", [7, None])
def test_a_command_sent_again_answers_what_it_answered(store: EventStore, business: int | None) -> None:
    def decide(unit: UnitOfWork) -> dict[str, object]:
        unit.append(f"a-{uuid.uuid4()}", 0, fact(1))
        return {"id": str(uuid.uuid4()), "rows": 3, "names": ["আলী"]}

    meta = Metadata(command_id="upload-1")
    first = store.execute(business, meta, decide, request_hash=b"one")
    assert first == Outcome(first.result, 1, replayed=False)
    assert store.execute(business, meta, decide, request_hash=b"one") == Outcome(first.result, 1, replayed=True)
    with pytest.raises(IdempotencyKeyReused):
        store.execute(business, meta, decide, request_hash=b"two")
    assert store.head() == 1
    assert store.execute(8, meta, decide, request_hash=b"two").replayed is False  # ids are a business's own


@pytest.mark.parametrize("business", [7, None])
def test_a_command_sent_many_times_at_once_takes_effect_once(store: EventStore, business: int | None) -> None:
    start = threading.Barrier(5)

    def send(_: int) -> Outcome[str]:
        start.wait(10)
        return store.execute(business, Metadata(command_id="c"), decide, request_hash=b"h")

    def decide(unit: UnitOfWork) -> str:
        answer = str(uuid.uuid4())
        unit.append(answer, 0, fact(1))
        return answer

    with ThreadPoolExecutor(5) as pool:
        outcomes = list(pool.map(send, range(5)))
    assert len({(o.result, o.position) for o in outcomes}) == 1
    assert sorted(o.replayed for o in outcomes) == [False, True, True, True, True]
    assert store.head() == 1


def test_a_connection_killed_between_reading_and_appending_decides_again(store: EventStore, database_url: str) -> None:
    decided = []

    def decide(unit: UnitOfWork) -> str:
        decided.append(unit.now)
        unit.sql("INSERT INTO credentials.refusals VALUES (now(), '\\x01', NULL, 'a trace')")
        pid = unit.sql("SELECT pg_backend_pid() AS pid")[0]["pid"]
        unit.append("a", 0, fact(1))
        if len(decided) == 1:
            with connected(database_url) as owner:
                owner.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return "done"

    assert store.execute(7, Metadata(command_id="c"), decide) == Outcome("done", 1, replayed=False)
    assert len(decided) == 2
    assert rows(database_url, "SELECT count(*) FROM credentials.refusals") == [(1,)]


@pytest.mark.parametrize("business", [7, None])
def test_a_connection_killed_after_commit_returns_the_committed_answer(
    store: EventStore, database_url: str, business: int | None
) -> None:
    """The gate lets the COMMIT through and holds its answer back; then the backend is terminated."""
    gate, through_gate = before_database(database_url)
    behind = EventStore(through_gate, store.master, pool_size=2)

    def decide(unit: UnitOfWork) -> dict[str, int]:
        unit.append(f"a-{uuid.uuid4()}", 0, fact(1))
        return {"backend": unit.sql("SELECT pg_backend_pid() AS pid")[0]["pid"]}

    with gate, ThreadPoolExecutor(1) as pool:
        behind.head()
        gate.withhold_the_answer_to(b"COMMIT")
        answer = pool.submit(behind.execute, business, Metadata(command_id="c"), decide, request_hash=b"h")
        assert gate.deaf.wait(10)
        wait_until(lambda: rows(database_url, "SELECT 1 FROM log.commands WHERE command_id = 'c'") == [(1,)])
        ((committed,),) = rows(database_url, "SELECT result FROM log.commands")
        assert not answer.done()
        assert rows(database_url, "SELECT pg_terminate_backend(%s)", committed["backend"]) == [(True,)]
        gate.cut()
        assert answer.result(20) == Outcome(committed, 1, replayed=True)
        behind.close()
    assert store.head() == 1


def test_a_step_without_command_id_is_fenced_by_its_streams_version(store: EventStore, database_url: str) -> None:
    """After the same accident a worker decides again, sees its event in the stream, and does not append it twice."""
    gate, through_gate = before_database(database_url)
    behind = EventStore(through_gate, store.master, pool_size=2)

    def decide(unit: UnitOfWork) -> int:
        version = len(unit.load("a"))
        if not version:
            unit.append("a", 0, fact(1))
        return version

    with gate, ThreadPoolExecutor(1) as pool:
        behind.head()
        gate.withhold_the_answer_to(b"COMMIT")
        answer = pool.submit(behind.execute, 7, Metadata(), decide)
        assert gate.deaf.wait(10)
        wait_until(lambda: store.head() == 1)
        gate.cut()
        assert answer.result(20) == Outcome(1, None, replayed=False)
        behind.close()
    assert store.head() == 1


def test_a_restarted_database_fails_no_command_and_no_reading(store: EventStore, database_url: str) -> None:
    for version in (0, 1):
        store.execute(7, Metadata(), lambda unit, before=version: unit.append("a", before, fact(before)))  # type: ignore[misc]
    for ask in (
        lambda: store.load("a"),
        lambda: store.allot(7, "product"),
        lambda: store.execute(7, Metadata(), count_up),
    ):
        _open_every_connection(store)
        assert len(rows(database_url, CUT_OFF_THE_POOL)) == 6
        assert ask()
        assert ask()


def _open_every_connection(store: EventStore) -> None:
    with ExitStack() as stack:
        for cursor in [stack.enter_context(store.cursor()) for _ in range(6)]:
            cursor.execute("SELECT 1")


def test_a_database_that_stays_away_is_waited_for_once(store: EventStore, database_url: str) -> None:
    gate, through_gate = before_database(database_url)
    behind = EventStore(through_gate, store.master, pool_size=1)
    with gate:
        behind.head()
        behind._datastore.pool.timeout = 0.7
        gate.shut()
        watch = Stopwatch()
        with pytest.raises(StoreError):
            behind.execute(7, Metadata(), count_up)
        assert watch.seconds() < 1.4
        gate.open()
        assert behind.execute(7, Metadata(), count_up).position == 1
        behind.close()
