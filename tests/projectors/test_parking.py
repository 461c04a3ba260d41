import threading

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from projections.engine.applier import Applier
from projections.engine.follower import connect
from projections.registry import REGISTRY
from shared.eventstore.event import Event
from shared.postgres.database import PROJECTOR, SHARDS
from tests.support.poison import NEIGHBOUR, OTHER, POISONS, SHOP, repair, write
from tests.support.shop_events import accepted, batch, completed, products, sale
from tests.support.waiting import wait_until
from tests.support.world import World, differences, to_head


@pytest.mark.parametrize("limit", [1, 50])
@pytest.mark.parametrize(
    "poison",
    [b'{"products": ', b'{"products": 5}', b"\xff", *POISONS.values()],
    ids=[
        "broken JSON",
        "another form",
        "no text",
        *POISONS,
    ],
)
def test_a_poisoned_event_parks_its_business_and_no_other(world: World, poison: Event | bytes, limit: int) -> None:
    position = write(world, poison)
    world.project("sales", limit=limit)
    assert world.parked("sales") == {SHOP: position}
    before = [r for r in world.history([SHOP]) if r.position < position]
    assert differences(world.rows("sales", businesses=[SHOP]), world.expected("sales", history=before)) == {}
    assert (
        differences(world.rows("sales", businesses=[NEIGHBOUR, OTHER]), world.expected("sales", [NEIGHBOUR, OTHER]))
        == {}
    )
    assert set(world.progress("sales").values()) == {world.store.head()}


def test_a_parked_business_records_the_event_and_the_error(world: World) -> None:
    position = write(world, POISONS["a sale of nothing"])
    world.project("sales")
    row = world.conn.execute(SQL("SELECT * FROM {}").format(Identifier(world.schema("sales"), "parked"))).fetchone()
    assert row is not None
    assert row[:3] == (SHOP, position, "sales.SalesBatchRecorded")
    assert row[3].startswith("ZeroDivisionError")


def test_one_projection_is_parked_while_the_others_go_on(world: World) -> None:
    write(world, POISONS["a time after midnight"])
    world.project()
    assert {name for name in REGISTRY if world.parked(name)} == {"sales"}
    assert set(world.parked("sales")) == {SHOP}
    assert differences(world.rows("identity"), world.expected("identity")) == {}


def test_later_events_of_a_parked_business_wait(world: World) -> None:
    position = write(world, b"broken")
    world.project("sales")
    before = world.rows("sales", businesses=[SHOP])
    world.append(SHOP, batch(SHOP, [sale(4)]))
    world.append(NEIGHBOUR, batch(NEIGHBOUR, [sale(4)]))
    world.project("sales")
    assert differences(world.rows("sales", businesses=[SHOP]), before) == {}
    assert world.parked("sales") == {SHOP: position}
    assert differences(world.rows("sales", businesses=[NEIGHBOUR]), world.expected("sales", [NEIGHBOUR])) == {}


@pytest.mark.parametrize("again", [True, False], ids=["by a process that began since", "by the process that parked it"])
def test_once_the_cause_is_gone_a_retry_applies_what_waited_in_order(world: World, *, again: bool) -> None:
    position = write(world, b"broken")
    # More events than one read brings; whether they came in order shows in the price of sales at the same moment.
    world.record((SHOP, batch(SHOP, [sale(tx, paisa=tx)])) for tx in range(100, 320))
    applier = world.applier("sales")
    to_head(applier, world.conn, 50)
    repair(world, position, products("Milk", first=2))
    retrying = world.applier("sales") if again else applier
    assert retrying.retry(SHOP)
    assert (world.parked("sales"), retrying.parked) == ({}, {})
    assert differences(world.rows("sales"), world.expected("sales")) == {}
    world.append(SHOP, batch(SHOP, [sale(999)]))
    to_head(retrying, world.conn, 50)
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_retry_stops_where_the_cause_is_still_there(world: World) -> None:
    position = write(world, b"broken")
    applier = world.applier("sales")
    to_head(applier, world.conn, 50)
    before = world.rows("sales")
    assert not applier.retry(SHOP)
    assert world.parked("sales") == applier.parked == {SHOP: position}
    assert differences(world.rows("sales"), before) == {}


def test_a_retry_stops_at_the_next_poisoned_event(world: World) -> None:
    first = write(world, b"broken")
    second = world.append(SHOP, POISONS["a sale of nothing"])
    world.append(SHOP, batch(SHOP, [sale(5)]))
    applier = world.applier("sales")
    to_head(applier, world.conn, 50)
    repair(world, first, products("Milk", first=2))
    assert not applier.retry(SHOP)
    assert world.parked("sales") == applier.parked == {SHOP: second}
    until = [r for r in world.history([SHOP]) if r.position < second]
    assert differences(world.rows("sales", businesses=[SHOP]), world.expected("sales", history=until)) == {}


def test_a_retry_goes_no_further_than_its_shard_has_come(world: World) -> None:
    position = write(world, b"broken")
    applier = world.applier("sales")
    to_head(applier, world.conn, 50)
    repair(world, position, products("Milk", first=2))
    world.append(SHOP, batch(SHOP, [sale(5)]))
    assert applier.retry(SHOP)
    to_head(applier, world.conn, 50)
    assert world.parked("sales") == {}
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_business_that_another_process_has_retried_is_not_applied_twice(world: World) -> None:
    position = write(world, b"broken")
    first, second = world.applier("sales"), world.applier("sales")
    to_head(first, world.conn, 50)
    repair(world, position, products("Milk", first=2))
    second.positions([SHOP % SHARDS])
    assert second.retry(SHOP)
    assert first.retry(SHOP)
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_parked_business_waits_after_its_shard_changes_owner(world: World) -> None:
    second = world.applier("sales")
    position = write(world, b"broken")
    to_head(world.applier("sales"), world.conn, 50)
    before = world.rows("sales", businesses=[SHOP])
    world.append(SHOP, batch(SHOP, [sale(5)]))
    to_head(second, world.conn, 50)
    assert differences(world.rows("sales", businesses=[SHOP]), before) == {}
    assert world.parked("sales") == {SHOP: position}


def test_a_locked_table_parks_no_business_and_writes_nothing(world: World) -> None:
    world.append(SHOP, products("Tea"), batch(SHOP, [sale(1)]))
    applier = world.applier("sales")
    with connect(world.url, role=PROJECTOR) as other, other.transaction():
        other.execute(SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(Identifier(world.schema("sales"), "sales_totals")))
        world.conn.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            to_head(applier, world.conn, 50)
    assert set(world.progress("sales").values()) == {0}
    assert world.rows("sales")["transactions"] == []
    assert world.parked("sales") == {}
    to_head(applier, world.conn, 50)
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_connection_lost_within_a_batch_leaves_no_rows(world: World) -> None:
    world.append(SHOP, accepted(SHOP), products("Tea"), batch(SHOP, [sale(1)]), completed(SHOP))
    errors: list[BaseException] = []

    def apply() -> None:
        with connect(world.url, role=PROJECTOR) as conn:
            try:
                to_head(Applier(conn, REGISTRY["sales"], world.schema("sales"), world.master), conn, 50)
            except psycopg.OperationalError as error:
                errors.append(error)

    with world.conn.transaction():
        table = Identifier(world.schema("sales"), "sales_totals")
        world.conn.execute(SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(table))
        thread = threading.Thread(target=apply)
        thread.start()
        wait_until(lambda: bool(world.waiting()))
        for pid in world.waiting():
            world.admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
        thread.join(10)
    assert len(errors) == 1
    assert set(world.progress("sales").values()) == {0}
    assert differences(world.rows("sales"), {}) == {}
    assert world.parked("sales") == {}
