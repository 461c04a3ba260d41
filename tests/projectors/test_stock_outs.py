"""The days without stock that forecasts are given, from the tables of the stock."""

import datetime as dt
from collections.abc import Callable

import pytest

from projections.recommendations.effects import SELECT_LIVE, SET_SEARCH_PATH
from shared.domain.events.inventory import StockMoved
from shared.domain.events.sales import Movement, MovementsRecorded, SaleVoided
from shared.domain.readmodels.demand import Demand
from shared.domain.rules.stock_outs import StockOuts
from tests.support.shop_events import batch, completed, file_id, products, sale
from tests.support.world import World

SHOP, OTHER = 7, 70
FIRST = dt.date(2025, 10, 1)
LAST = dt.date(2025, 10, 20)
EIGHT = 8 * 3600
Read = Callable[[int], dict[int, StockOuts]]


def on(day: int) -> dt.date:
    return FIRST + dt.timedelta(days=day - 1)


def october(*days: int) -> frozenset[dt.date]:
    return frozenset(map(on, days))


@pytest.fixture
def read(world: World) -> Read:
    """Read the days without stock of a shop's first two products."""

    def at(shop: int) -> dict[int, StockOuts]:
        schemas = [schema for _, schema in world.conn.execute(SELECT_LIVE).fetchall()]
        world.conn.execute(SET_SEARCH_PATH.replace("true", "false"), (", ".join(schemas),))
        return Demand(world.conn, shop, LAST).stock_outs([1, 2], LAST)

    return at


def sold_out(world: World, shop: int) -> None:
    """Ten eggs counted on the first, sold by the third; ten more come by a ledger on the seventh and last two days."""
    world.append(shop, products("Eggs", "Rice"), StockMoved(1, "count", 10_000, on(1), EIGHT))
    world.append(
        shop,
        MovementsRecorded(
            file_id(shop), [Movement(1, 9, "purchase", on(7), None, 1, None, None, 10_000, 5_000, None)], [], ""
        ),
        batch(shop, [sale(n, 1, 1_000, 5_000, date=on(day)) for n, day in enumerate((2, 3, 7, 8), 1)]),
        completed(shop),
    )


def test_the_days_between_the_last_sale_and_the_next_delivery_are_without_stock(world: World, read: Read) -> None:
    sold_out(world, SHOP)
    world.project()
    assert read(SHOP) == {1: StockOuts(october(4, 5, 6, *range(9, 21)), october(3, 8))}
    assert read(OTHER) == {}


def test_voids_and_later_counts_change_the_days(world: World, read: Read) -> None:
    sold_out(world, SHOP)
    sold_out(world, OTHER)
    void = SaleVoided(4, "twice", on(8), None, 1, None, 5_000, 1_000, "cash")
    world.append(SHOP, void, StockMoved(1, "waste", 5_000, on(10), EIGHT), StockMoved(1, "receive", 1_000, on(12), 0))
    world.project()
    assert read(SHOP) == {1: StockOuts(october(4, 5, 6, 11), october(3, 10))}
    assert read(OTHER) == {1: StockOuts(october(4, 5, 6, *range(9, 21)), october(3, 8))}
