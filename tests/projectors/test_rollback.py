import pytest

from projections import generations
from projections.rebuild import NothingBefore, RebuildRunning, rebuild, roll_back
from projections.registry import REGISTRY
from tests.projectors.events import busy_shop, products
from tests.projectors.test_rebuilds import a_rebuild_under_way
from tests.projectors.world import World, differences

SALES = REGISTRY["sales"]
SHOP = 7


def test_what_served_before_catches_up_and_serves_again(world: World) -> None:
    world.append(SHOP, *busy_shop(SHOP, 3))
    world.project("sales")
    first = world.schema("sales")
    second = rebuild(world.source, SALES, workers=1).schema
    world.append(SHOP, products("Added since", first=90))
    world.project("sales")
    assert roll_back(world.source, SALES) == first == world.schema("sales")
    assert differences(world.rows("sales"), world.expected("sales")) == {}
    assert roll_back(world.source, SALES) == second


def test_without_anything_before_what_serves_stays(world: World) -> None:
    serving = world.schema("sales")
    with pytest.raises(NothingBefore):
        roll_back(world.source, SALES)
    rebuild(world.source, SALES, workers=1)
    generations.drop_retired(world.conn, after_seconds=0)
    with pytest.raises(NothingBefore):
        roll_back(world.source, SALES)
    assert world.schema("sales") != serving


def test_nothing_is_rolled_back_while_it_is_being_rebuilt(world: World) -> None:
    world.append(SHOP, *busy_shop(SHOP, 1))
    world.project("sales")
    with a_rebuild_under_way(world), pytest.raises(RebuildRunning):
        roll_back(world.source, SALES)
