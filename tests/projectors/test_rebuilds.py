import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

import msgspec
import psutil
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from projections.engine import generation_schemas, generations
from projections.engine.applier import Applier
from projections.engine.replayer import Progress
from projections.operations.rebuild import RebuildRunning, rebuild
from projections.registry import REGISTRY
from shared.domain.events.sales import ProductsAdded
from shared.eventstore.codec import RecordedEvent
from shared.runtime.low_priority import NICENESS
from tests.support.followers import a_stuck_batch, appending, caught_up, projectors
from tests.support.poison import POISONS, repair, write
from tests.support.priorities import LINUX, autogroup, ours
from tests.support.projector_processes import following
from tests.support.rebuilds import SALES, Interrupted, a_rebuild_under_way, fingerprints, interrupt, states, street
from tests.support.shop_events import batch, busy_shop, completed, customers, products, profile, sale
from tests.support.waiting import wait_until
from tests.support.world import World, differences

SHOP, NEIGHBOUR = 7, 23


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("name", REGISTRY)
def test_rebuilt_equals_live(world: World, name: str, workers: int) -> None:
    street(world)
    world.project(name, limit=7)
    live, first = world.rows(name), world.schema(name)
    done = rebuild(world.source, REGISTRY[name], workers=workers)
    assert done.schema == world.schema(name) != first
    assert differences(world.rows(name), live) == {}
    assert differences(live, world.expected(name)) == {}
    assert world.progress(name) == world.progress(name, first)


def test_two_rebuilds_have_the_same_checksums(world: World) -> None:
    street(world)
    for projection in REGISTRY.values():
        one, other = (rebuild(world.source, projection, workers=0).schema for _ in range(2))
        assert one != other
        assert fingerprints(world, one) == fingerprints(world, other)


def test_a_rebuild_reports_its_progress(world: World) -> None:
    street(world, shops=4, batches=3)
    reported: list[Progress] = []
    done = rebuild(world.source, SALES, workers=0, report=reported.append)
    # Per shop: products, customers and three batches of 20 sales.
    assert (done.projection, done.businesses, done.events, done.rows) == ("sales", 4, 20, 240)
    assert [p.done for p in reported if p.state == "replaying"] == [1, 2, 3, 4]
    assert [(p.state, p.done, p.total, p.events) for p in reported][-1] == ("catching_up", 4, 4, 20)


def test_an_empty_log_is_rebuilt_too(world: World) -> None:
    for projection in REGISTRY.values():
        done = rebuild(world.source, projection)
        assert (done.businesses, done.rows, world.schema(projection.name)) == (0, 0, done.schema)
    world.append(SHOP, products("Tea"))
    world.project()
    assert differences(world.rows("sales"), world.expected("sales")) == {}


@contextmanager
def watching(world: World) -> Iterator[list[tuple[str, int]]]:
    """Note which generation serves and how far it is, again and again, for as long as this lasts."""
    enough = threading.Event()
    served = [(world.schema("sales"), 0)]

    def watch() -> None:
        with psycopg.connect(world.url) as conn:
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            while not enough.wait(0.001):
                served.append(_serving(conn))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield served
    finally:
        enough.set()
        watcher.join(30)


def test_a_rebuild_while_shops_sell_misses_and_doubles_nothing(world: World) -> None:
    street(world, shops=18)
    with following(world.source, *REGISTRY.values()), watching(world) as served:
        with appending(world, first_tx=1001):
            rebuilt = [rebuild(world.source, SALES, workers=workers).schema for workers in (1, 2, 1)]
        wait_until(lambda: caught_up(world))
    assert [schema for schema, _ in groupby(schema for schema, _ in served)][1:] == rebuilt
    # What was readable stays readable: nobody is taken back behind a sale that was shown already.
    taken_back = [(before, after) for (_, before), (_, after) in pairwise(served) if after < before]
    assert taken_back == []
    assert [state for _, state in states(world)] == ["retired"] * 3 + ["live"]
    after = world.rows("sales")
    assert differences(after, world.expected("sales")) == {}
    again = rebuild(world.source, SALES, workers=0)
    assert differences(world.rows("sales", again.schema), after) == {}


def test_constant_sales_do_not_keep_a_rebuild_from_serving(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    street(world)
    numbers, applied = itertools.count(5001), Applier.apply

    def sell(*_: object) -> None:
        world.append_command(SHOP, batch(SHOP, [sale(next(numbers))]))

    def apply(applier: Applier, events: Sequence[RecordedEvent], shards: Mapping[int, int]) -> dict[int, int]:
        sell()
        return applied(applier, events, shards)

    monkeypatch.setattr(Applier, "apply", apply)
    done = rebuild(world.source, SALES, workers=0, report=sell)
    monkeypatch.undo()
    assert world.schema("sales") == done.schema
    assert min(world.progress("sales").values()) < world.store.head()
    world.project("sales")
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def _serving(conn: psycopg.Connection[Any]) -> tuple[str, int]:
    """Return which generation serves and how far it is, as one transaction sees it."""
    with conn.transaction():
        serving = generations.live(conn, "sales")
        assert serving is not None
        query = SQL("SELECT sum(position)::bigint FROM {}").format(Identifier(serving[1], "progress"))
        row = conn.execute(query).fetchone()
    assert row is not None
    return serving[1], row[0]


def gives_way(process: int) -> bool:
    """Tell whether a process of this machine is lowered; one that has ended is not."""
    with suppress(OSError):
        return autogroup(process) == str(NICENESS)
    return False


@LINUX
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.usefixtures("lowered")
def test_a_replay_runs_below_the_priority_of_readers(world: World, workers: int) -> None:
    street(world, shops=6)
    if not ours(world.admin.info.backend_pid):
        pytest.skip("the server runs elsewhere")
    lowered: list[tuple[bool, bool]] = []

    def look(progress: Progress) -> None:
        if progress.state == "replaying":
            replaying = {child.pid for child in psutil.Process().children()}
            lowered.append((any(map(gives_way, replaying)), any(map(gives_way, projectors(world)))))

    rebuild(world.source, SALES, workers=workers, report=look)
    assert (True, True) in lowered
    assert not gives_way(world.admin.info.backend_pid)


def test_a_second_rebuild_of_the_same_projection_is_refused_and_another_is_not(world: World) -> None:
    street(world)
    with a_rebuild_under_way(world):
        with pytest.raises(RebuildRunning):
            rebuild(world.source, SALES, workers=0)
        rebuild(world.source, REGISTRY["identity"], workers=0)
    assert [state for _, state in states(world)] == ["retired", "live"]
    rebuild(world.source, SALES, workers=0)


def test_events_appended_after_the_replay_are_caught_up(world: World) -> None:
    street(world)
    with a_rebuild_under_way(world):
        world.append(99, *busy_shop(99, 60, rows=2))
        world.append(1, *busy_shop(1, 2, first_tx=901))
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_readers_stay_with_the_old_generation_until_the_new_one_is_adopted(world: World) -> None:
    street(world)
    world.project()
    first = world.schema("sales")
    with a_rebuild_under_way(world):
        assert world.schema("sales") == first
        assert world.status("sales")["state"] == "catching_up"
        assert differences(world.rows("sales"), world.expected("sales")) == {}
    assert world.schema("sales") != first
    assert world.status("sales")["state"] == "live"


def test_a_generation_is_not_adopted_while_a_batch_goes_to_the_one_before(world: World) -> None:
    street(world)
    with following(world.source, SALES):
        wait_until(lambda: caught_up(world))
        with appending(world, first_tx=901), a_stuck_batch(world):
            first = world.schema("sales")
            thread = threading.Thread(target=lambda: rebuild(world.source, SALES, workers=0))
            thread.start()
            wait_until(lambda: bool(world.waiting("%pg_advisory_xact_lock(%")))
            assert world.schema("sales") == first
        thread.join(30)
        wait_until(lambda: caught_up(world))
    assert world.schema("sales") != first
    assert differences(world.rows("sales"), world.expected("sales")) == {}


@pytest.mark.parametrize("at", ["replaying", "catching_up"])
def test_a_rebuild_that_was_broken_off_is_resumed(world: World, at: str) -> None:
    street(world)
    first = world.schema("sales")
    with pytest.raises(Interrupted):
        rebuild(world.source, SALES, workers=0, report=interrupt(at))
    (_, (left, state)) = states(world)
    assert (state, world.schema("sales")) == (at, first)
    done_before = world.count(left, "replayed")
    assert done_before == {"replaying": 1, "catching_up": 5}[at]
    world.append(1, *busy_shop(1, 2, first_tx=901))
    done = rebuild(world.source, SALES, workers=0)
    assert (done.schema, done.rows) == (left, 5 * 60)
    # Two events per shop and its batches; what was replayed before is not replayed again.
    assert done.events == {"replaying": 4 * 5, "catching_up": 0}[at]
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_rebuild_of_a_new_version_leaves_the_unfinished_one_of_the_old(world: World) -> None:
    street(world)
    newer = replace(SALES, version=SALES.version + 1)
    with pytest.raises(Interrupted):
        rebuild(world.source, SALES, workers=0, report=interrupt("replaying"))
    with pytest.raises(Interrupted):
        rebuild(world.source, newer, workers=0, report=interrupt("catching_up"))
    assert [state for _, state in states(world)] == ["live", "failed", "catching_up"]
    serving = generations.live(world.conn, "sales")
    assert serving is not None
    assert serving[2] == SALES.version
    done = rebuild(world.source, newer, workers=0)
    serving = generations.live(world.conn, "sales")
    assert serving is not None
    assert serving[1:] == (done.schema, newer.version)
    assert sorted(generation_schemas.drop_unused(world.conn, after_seconds=0)) == sorted(
        s for s, _ in states(world)[:2]
    )
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_replay_reads_the_log_and_writes_its_own_schema_only(world: World) -> None:
    street(world)
    world.project()
    world.admin.execute("LISTEN log")
    before = fingerprints(world)
    made = rebuild(world.source, SALES).schema
    after = fingerprints(world)
    assert {owner for owner, _ in after.keys() - before.keys()} == {made}
    assert {address: after[address] for address in before} == before
    assert not list(world.admin.notifies(timeout=0.05))


@pytest.mark.parametrize("schema", ["log", "vault", "files", "credentials"])
def test_projectors_may_not_write_what_is_not_theirs(world: World, schema: str) -> None:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
    names = [table for (table,) in world.admin.execute(query, (schema,)).fetchall()]
    assert names
    for name in names:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            world.conn.execute(SQL("DELETE FROM {}").format(Identifier(schema, name)))


def test_an_erased_customer_is_a_number_with_totals_after_a_rebuild(world: World) -> None:
    world.append(SHOP, customers(("Rahim", "+8801711000001"), ("Karim", "+8801711000002")))
    world.append(SHOP, batch(SHOP, [sale(1, customer=1, paisa=500), sale(2, customer=2)]))
    world.append(SHOP, profile(SHOP, 3, "+8801911000003", city="Dhaka"))
    world.project()
    world.forget("customer-7-1")
    world.forget("user-3")
    world.append(SHOP, completed(SHOP, created=2))
    world.project()
    for name in ("sales", "customers", "identity"):
        rebuild(world.source, REGISTRY[name], workers=0)
        assert differences(world.rows(name), world.expected(name)) == {}
    assert {row["id"]: row["name"] for row in world.rows("sales")["buyers"]} == {1: None, 2: "Karim"}
    rahim, karim = sorted(world.rows("customers")["people"], key=lambda row: row["id"])
    assert (rahim["name"], rahim["sort_name"], rahim["phone"]) == (None, None, None)
    assert (karim["name"], karim["phone"]) == ("Karim", "+8801711000002")
    assert {row["id"]: row["paisa"] for row in world.rows("customers")["churn"]} == {1: 500, 2: 1000}
    (shown,) = world.rows("identity")["profiles"]
    assert (shown["phone_number"], shown["city"]) == (None, "Dhaka")


def test_an_event_that_cannot_be_replayed_ends_the_rebuild_at_once(world: World) -> None:
    broken = world.append_broken(1, ProductsAdded.topic)
    street(world, shops=60, batches=2)
    first = world.schema("sales")
    with pytest.raises(msgspec.MsgspecError):
        rebuild(world.source, SALES, workers=2)
    assert world.schema("sales") == first
    assert 0 <= world.replayed("sales") < 30
    repair(world, broken, products("Tea", first=99))
    rebuild(world.source, SALES, workers=0)
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_rows_that_no_key_can_hold_are_not_resumed(world: World) -> None:
    position = write(world, POISONS["a sale whose number is taken"])
    with pytest.raises(psycopg.errors.UniqueViolation):
        rebuild(world.source, SALES, workers=0)
    assert [state for _, state in states(world)] == ["live", "failed"]
    world.project("sales")
    rebuild(world.source, SALES, workers=0)
    assert world.parked("sales") == {SHOP: position}
    assert [state for _, state in states(world)] == ["retired", "failed", "live"]


@pytest.mark.parametrize("poison", [b"broken", *POISONS.values()], ids=["broken", *POISONS])
def test_a_business_that_is_parked_is_rebuilt_up_to_the_same_event(world: World, poison: Any) -> None:  # noqa: ANN401 - a parameter of the test
    position = write(world, poison)
    world.project("sales")
    live = world.rows("sales")
    done = rebuild(world.source, SALES, workers=0)
    assert world.parked("sales", done.schema) == {SHOP: position}
    assert differences(world.rows("sales", done.schema), live) == {}
    repair(world, position, products("Milk", first=2))
    assert world.applier("sales").retry(SHOP)
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_business_parked_for_a_cause_that_is_gone_is_rebuilt_whole(world: World) -> None:
    position = write(world, b"broken")
    world.project("sales")
    repair(world, position, products("Milk", first=2))
    rebuild(world.source, SALES, workers=0)
    assert world.parked("sales") == {}
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_an_event_of_the_tail_that_cannot_be_applied_parks_its_business(world: World) -> None:
    street(world)
    with a_rebuild_under_way(world):
        position = write(world, b"broken")
    assert world.parked("sales") == {SHOP: position}
    history = [r for r in world.history() if r.business_id != SHOP or r.position < position]
    assert differences(world.rows("sales"), world.expected("sales", history=history)) == {}
