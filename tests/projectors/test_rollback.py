from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg.sql import SQL, Identifier

from projections.engine import generation_schemas, generations
from projections.engine.generations import GenerationCancelled
from projections.operations.rebuild import NothingBefore, RebuildRunning, rebuild, roll_back
from projections.registry import REGISTRY
from tests.support.rebuilds import WAITING, a_rebuild_under_way
from tests.support.shop_events import busy_shop, products
from tests.support.waiting import wait_until
from tests.support.world import World, differences

SALES = REGISTRY["sales"]
SHOP = 7
# Marks the generations that are being built as to be dropped.
DROP = """UPDATE projections.generations SET state = 'dropping'
    WHERE projection = 'sales' AND state IN ('replaying', 'catching_up')"""


def test_a_retired_generation_catches_up_and_serves_again(world: World) -> None:
    world.append(SHOP, *busy_shop(SHOP, 3))
    world.project("sales")
    first = world.schema("sales")
    second = rebuild(world.source, SALES, workers=0).schema
    world.append(SHOP, products("Added since", first=90))
    world.project("sales")
    assert roll_back(world.source, SALES) == first == world.schema("sales")
    assert differences(world.rows("sales"), world.expected("sales")) == {}
    assert roll_back(world.source, SALES) == second


def test_without_anything_before_what_serves_stays(world: World) -> None:
    serving = world.schema("sales")
    with pytest.raises(NothingBefore):
        roll_back(world.source, SALES)
    rebuild(world.source, SALES, workers=0)
    generation_schemas.drop_unused(world.conn, after_seconds=0)
    with pytest.raises(NothingBefore):
        roll_back(world.source, SALES)
    assert world.schema("sales") != serving


def test_nothing_is_rolled_back_while_it_is_being_rebuilt(world: World) -> None:
    world.append(SHOP, *busy_shop(SHOP, 1))
    world.project("sales")
    with a_rebuild_under_way(world), pytest.raises(RebuildRunning):
        roll_back(world.source, SALES)


def dropped_while_waiting(world: World, act: Callable[[], object]) -> None:
    """Act in a thread until it waits for a lock of ours, drop what is being made, and let the thread go on."""
    with ThreadPoolExecutor(1) as beside:
        with world.admin.transaction():
            world.admin.execute(generations.SHARE_PROJECTION, (SALES.name,))
            acting = beside.submit(act)
            wait_until(lambda: world.conn.execute(WAITING).fetchone() == (1,))
            assert world.conn.execute(DROP).rowcount == 1
            assert generation_schemas.drop_unused(world.conn, after_seconds=0) == []  # it is left to who makes it
        with pytest.raises(GenerationCancelled):
            acting.result(30)


def test_a_rebuild_that_is_dropped_while_it_catches_up_never_serves(world: World) -> None:
    world.append(SHOP, *busy_shop(SHOP, 1))
    world.project("sales")
    serving = world.schema("sales")
    dropped_while_waiting(world, lambda: rebuild(world.source, SALES, workers=0))
    assert world.schema("sales") == serving
    assert len(generation_schemas.drop_unused(world.conn, after_seconds=0)) == 1
    assert rebuild(world.source, SALES, workers=0).schema == world.schema("sales") != serving


def test_going_back_to_what_is_dropped_meanwhile_ends(world: World) -> None:
    world.append(SHOP, *busy_shop(SHOP, 1))
    world.project("sales")
    serving = rebuild(world.source, SALES, workers=0).schema
    dropped_while_waiting(world, lambda: roll_back(world.source, SALES))
    assert world.schema("sales") == serving


def test_a_rebuild_that_is_dropped_while_its_indexes_are_built_goes_no_further(world: World) -> None:
    world.append(SHOP, *busy_shop(SHOP, 1))
    world.project("sales")
    serving = world.schema("sales")

    def rebuilding() -> object:
        return rebuild(world.source, SALES, workers=0, report=lambda at: hold() if at.done == at.total else None)

    def hold() -> None:
        made = world.admin.execute("SELECT schema FROM projections.generations WHERE state = 'replaying'").fetchone()
        if made:
            world.admin.execute("BEGIN")
            world.admin.execute(SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(Identifier(made[0], "voids")))

    with ThreadPoolExecutor(1) as beside:
        acting = beside.submit(rebuilding)
        wait_until(lambda: world.conn.execute(WAITING).fetchone() == (1,))
        assert world.conn.execute(DROP).rowcount == 1
        world.admin.execute("COMMIT")
        with pytest.raises(GenerationCancelled):
            acting.result(30)
    assert world.schema("sales") == serving
