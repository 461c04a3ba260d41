"""An erased shop: no read model has a row of it, live or rebuilt, and the rows of other shops are the same."""

import datetime as dt

import pytest

from projections.operations.rebuild import rebuild
from projections.operations.repair import repair
from projections.operations.verify import verify
from projections.registry import REGISTRY
from shared.domain.events.sales import SaleRecorded
from shared.eventstore.system_events import BusinessErased, DayOpened, RuleActivated
from tests.support.model import Tables
from tests.support.shop_events import DAY, busy_shop, everything_else
from tests.support.world import World, differences

SHOP, OTHER = 7, 23  # of the same shard
RULE = RuleActivated("stock", "stock.v1.2", {"service_level": 0.9, "lead_time_days": 5}, "user-99")


def of(found: Tables, business: int) -> Tables:
    """Return the rows of one business."""
    return {table: [row for row in rows if row["business_id"] == business] for table, rows in found.items()}


def history(world: World) -> None:
    world.append(None, DayOpened(DAY + dt.timedelta(2)))
    for shop in (SHOP, OTHER):
        world.append(shop, *busy_shop(shop, 2), *everything_else(shop))


@pytest.mark.parametrize("limit", [1, 50])
@pytest.mark.parametrize("behind", [False, True], ids=["projected before", "projected after"])
def test_an_erased_shop_has_no_row_and_another_one_has_all_of_its_own(
    world: World, *, behind: bool, limit: int
) -> None:
    history(world)
    if not behind:
        world.project()
        assert all(any(of(world.rows(name), SHOP).values()) for name in REGISTRY)
    expected = {name: of(world.expected(name), OTHER) for name in ("sales", "identity")}
    world.append(SHOP, BusinessErased(SHOP, 12, ""))
    world.append(None, RULE, DayOpened(DAY + dt.timedelta(40)))
    world.project(limit=limit)
    for name, projection in REGISTRY.items():
        live = world.rows(name)
        assert not any(of(live, SHOP).values()), name
        assert any(of(live, OTHER).values()), name
        assert verify(world.source, projection).equal
        repair(world.source, projection, SHOP)
        assert differences(world.rows(name), live) == {}, name
        rebuild(world.source, projection, workers=0)
        assert differences(world.rows(name), live) == {}, name
    for name, rows in expected.items():
        assert differences(of(world.rows(name), OTHER), rows) == {}, name


@pytest.mark.parametrize("limit", [1, 50])
def test_a_shop_that_was_parked_is_erased_and_not_parked_any_more(world: World, limit: int) -> None:
    history(world)
    world.append_broken(SHOP, SaleRecorded.topic)
    if limit == 1:
        world.project("sales")
        assert world.parked("sales").keys() == {SHOP}
    world.append(SHOP, BusinessErased(SHOP, 12, ""))
    world.project("sales", limit=limit)
    assert world.parked("sales") == {}
    assert not any(of(world.rows("sales"), SHOP).values())
    assert verify(world.source, REGISTRY["sales"]).equal
