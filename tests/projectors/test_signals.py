"""What the read models tell of what to do, on tables that projectors made."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, LiteralString, cast

import pytest
from psycopg import Connection, Cursor

from projections.engine import generation_schemas
from projections.engine.generations import Origin
from projections.recommendations.effects import SELECT_LIVE, SET_SEARCH_PATH, differences, recommendations
from projections.registry import REGISTRY
from shared.domain.events.cashflow import CashSettingsChanged
from shared.domain.events.customers import CustomersMerged
from shared.domain.events.inventory import ProductDetailsChanged, StockMoved
from shared.domain.events.sales import Movement, MovementsRecorded, SaleRecorded, SaleVoided
from shared.domain.readmodels.recommendations import Reading
from shared.domain.rules.follow_up import Executed, Seen
from shared.domain.rules.recommend import wanted
from shared.domain.rules.recommendation_candidates import Fact
from shared.postgres.generation_states import GenerationState
from tests.support import forecast_events
from tests.support.shop_events import batch, completed, customers, file_id, products, sale
from tests.support.world import World

SHOP, OTHER = 7, 70
TODAY = dt.date(2025, 11, 3)


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days)


def busy(world: World, shop: int) -> None:
    """Eight weeks of four units of tea a day at 20 taka, 10 left; customers 1 to 4 who came until four months ago."""
    tea = [sale(100 + day, 1, 8_000, 4_000, date=ago(day)) for day in range(1, 57)]
    gone = [
        sale(1_000 + 100 * who + week, 2, 50_000 * who, customer=who, date=ago(120 + 7 * week))
        for who in (1, 2, 3, 4)
        for week in range(10)
    ]
    world.append(shop, products("Tea", "Rice"), customers(*[(f"Customer {n}", None) for n in range(1, 5)]))
    world.append(shop, batch(shop, [*gone, *tea]), completed(shop))
    world.append(shop, StockMoved(1, "count", 10_000, TODAY, 0), CashSettingsChanged(1_000, TODAY, 2_000_000))
    world.project()


Look = Callable[[int], Reading]


@pytest.fixture
def look(world: World) -> Look:
    """Look at a shop by the generations that serve."""

    def at(shop: int) -> Reading:
        schemas = [schema for _, schema in world.conn.execute(SELECT_LIVE).fetchall()]
        world.conn.execute(SET_SEARCH_PATH.replace("true", "false"), (", ".join(schemas),))
        return Reading(world.conn, shop, TODAY)

    return at


def test_each_shop_reads_its_own_signals(world: World, look: Look) -> None:
    busy(world, SHOP)
    signals = look(SHOP).signals()
    (tea,) = signals.shelves
    assert (tea.on_hand, tea.demand, tea.basis, tea.runs_out_in, tea.unit_price) == (
        10_000,
        28_000,
        "average",
        3,
        2_000,
    )
    assert (tea.sold_7d, tea.usual_7d, signals.last_sale) == (28_000, 28_000, ago(1))
    assert signals.cash is not None
    assert (signals.cash.balance, signals.cash.threshold) == (1_000, 2_000_000)
    assert [(item.type, item.urgency) for item in wanted(signals, TODAY)] == [
        ("cash_warning", "high"),
        ("reorder", "high"),
        ("retention", "medium"),
    ]
    assert wanted(look(OTHER).signals(), TODAY) == []


def test_at_risk_customers_are_ranked_by_spending_with_merged_ones(world: World, look: Look) -> None:
    busy(world, SHOP)
    world.append(SHOP, CustomersMerged(1, [4]))
    world.project()
    at_risk = look(SHOP).signals().at_risk
    assert (at_risk.customers, list(at_risk.customer_ids)) == (3, [1, 3, 2])
    assert at_risk.spent_90d == 10 * 50_000 * (1 + 2 + 3 + 4)


class Asked:
    """A connection that remembers what it was asked."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn
        self.queries: list[str] = []

    def execute(self, query: LiteralString, parameters: Mapping[str, Any]) -> Cursor[Any]:
        self.queries.append(query)
        return self._conn.execute(query, parameters)


def test_customers_are_scanned_once_and_not_for_stale_data(world: World, look: Look) -> None:
    busy(world, SHOP)
    for today, times in ((TODAY, 1), (TODAY + dt.timedelta(14), 0)):
        look(SHOP)
        asked = Asked(world.conn)
        signals = Reading(cast("Connection[Any]", asked), SHOP, today).signals()
        assert sum("level = 'high'" in query for query in asked.queries) == times
        assert signals.last_sale == ago(1)
        assert bool(wanted(signals, today)) == bool(times)
        assert (signals.at_risk.customers, bool(signals.shelves)) == (4 * times, bool(times))


@pytest.mark.parametrize(
    ("sold", "demand", "usual"),
    [
        ({3: 20}, 20_000, 0),
        ({3: 20, 10: 21}, 29_000, 49_000),
        ({3: 20, 28: 8}, 7_000, 2_666),
        ({3: 20, 365: 1}, 5_000, 0),
        ({3: 20, 10: 21, 365: 1}, 10_000, 7_000),
    ],
)
def test_an_average_of_28_days_counts_those_without_sales_since_the_first_ever(
    world: World, look: Look, sold: dict[int, int], demand: int, usual: int
) -> None:
    tea = [sale(day, 1, 1_000, 1_000 * pieces, date=ago(day)) for day, pieces in sold.items()]
    world.append(SHOP, products("Tea", "Rice"), batch(SHOP, [*tea, sale(1, 2, date=ago(1))]), completed(SHOP))
    world.append(SHOP, StockMoved(1, "count", 10_000, TODAY, 0))
    world.project()
    (reported,) = look(SHOP).signals().shelves
    assert (reported.basis, reported.demand, reported.usual_7d) == ("average", demand, usual)


def test_a_forecast_provides_the_demand_where_there_is_one(world: World, look: Look) -> None:
    busy(world, SHOP)
    world.append(SHOP, forecast_events.made(1, [6, 3, 5, 0, 0, 0, 0], horizon=7, made_on=TODAY))
    world.project()
    (tea,) = look(SHOP).signals().shelves
    assert (tea.basis, tea.demand, tea.runs_out_in) == ("forecast", 14_000, 3)


def test_signals_include_manual_and_uploaded_changes(world: World, look: Look) -> None:
    busy(world, SHOP)

    def seen(kind: str, **action: Fact) -> Seen:
        world.project()
        return look(SHOP).seen(Executed(1, kind, TODAY, position, TODAY, action))

    position = world.append(SHOP, StockMoved(1, "receive", 2_000, TODAY, 60))
    assert seen("reorder", product_id=1) == Seen(arrived=0)
    bought = Movement(2, 9_000, "purchase", TODAY, None, 1, None, None, 5_000, 500, None)
    world.append(SHOP, StockMoved(1, "receive", 3_000, TODAY, 61), StockMoved(1, "waste", 1_000, TODAY, 62))
    world.append(SHOP, MovementsRecorded(file_id(SHOP), [bought], [], ""))
    assert seen("reorder", product_id=1) == Seen(arrived=8_000)
    assert seen("retention", customer_ids=[1, 2]) == Seen()
    world.append(SHOP, SaleRecorded(9_001, TODAY, None, 2, 4, 1_000, 700, None, ""), CustomersMerged(1, [4]))
    assert seen("retention", customer_ids=[1, 2]) == Seen(returned=(1,))
    world.append(SHOP, SaleRecorded(9_002, TODAY, None, 2, 3, 1_000, 100, None, ""), CustomersMerged(3, [2]))
    assert set(seen("retention", customer_ids=[1, 2]).returned) == {1, 3}
    assert seen("price_optimization", product_id=1) == Seen(unit_price=2_000)
    world.append(SHOP, ProductDetailsChanged(1, unit_price=2_100))
    assert seen("price_optimization", product_id=1) == Seen(unit_price=2_100, owners_price=True)
    world.append(SHOP, SaleRecorded(9_003, TODAY, None, 1, None, 1_000, 1_800, None, ""))
    assert seen("price_optimization", product_id=1) == Seen(unit_price=2_100, owners_price=True)
    world.append(SHOP, ProductDetailsChanged(1, cleared=["unit_price"]))
    assert seen("price_optimization", product_id=1) == Seen(unit_price=1_800)
    assert seen("price_optimization", product_id=99) == Seen()
    assert seen("cash_warning", threshold=5, critical_on=str(TODAY)) == Seen(balance=1_000 + 700 + 100 + 1_800 - 500)


def test_only_what_suppliers_brought_has_arrived(world: World, look: Look) -> None:
    busy(world, SHOP)
    executed = Executed(1, "reorder", TODAY, world.append(SHOP, products("Soap", first=3)), TODAY, {"product_id": 1})

    def arrived() -> int:
        world.project()
        return look(SHOP).seen(executed).arrived

    def reported(number: int, kind: str, qty: int) -> Movement:
        return Movement(2, number, kind, TODAY, 60, 1, None, None, qty, 500, None)

    world.append(SHOP, StockMoved(1, "return", 2_000, TODAY, 60), StockMoved(1, "adjust", 3_000, TODAY, 60))
    world.append(SHOP, MovementsRecorded(file_id(SHOP), [reported(9_000, "return", 4_000)], [], ""))
    world.append(SHOP, SaleRecorded(9_001, TODAY, 30, 1, None, 1_000, 700, None, ""))
    world.append(SHOP, SaleVoided(9_001, "typo", TODAY, 30, 1, None, 1_000, 700, None))
    assert arrived() == 0
    world.append(SHOP, MovementsRecorded(file_id(SHOP), [reported(9_002, "purchase", 6_000)], [], ""))
    assert arrived() == 6_000
    world.append(SHOP, StockMoved(1, "receive", 7_000, TODAY, 60), StockMoved(2, "receive", 8_000, TODAY, 60))
    assert arrived() == 13_000


def test_other_generations_tell_what_they_would_change(world: World) -> None:
    busy(world, SHOP)
    with world.conn.transaction():
        _, schema = generation_schemas.create(world.conn, REGISTRY["customers"], Origin(state=GenerationState.RETIRED))
    before, after = (recommendations(world.conn, SHOP, TODAY, instead) for instead in ({}, {"customers": schema}))
    assert [(change.kind, change.before, change.after) for change in differences(before, after)] == [
        ("retention", "medium", None)
    ]
    assert differences(before, before) == []
    assert recommendations(world.conn, SHOP, TODAY) == before


def test_a_preview_shows_the_slow_movers_that_would_be_issued(world: World) -> None:
    world.append(SHOP, products(*[f"Spice {n}" for n in range(1, 15)]))
    world.append(
        SHOP,
        *[
            event
            for n in range(1, 15)
            for event in (ProductDetailsChanged(n, reorder_point=5_000), StockMoved(n, "count", 1_000, TODAY, 0))
        ],
    )
    world.project()
    with world.conn.transaction():
        _, schema = generation_schemas.create(world.conn, REGISTRY["inventory"], Origin(state=GenerationState.RETIRED))
    nothing, reported = (recommendations(world.conn, SHOP, TODAY, instead) for instead in ({"inventory": schema}, {}))
    assert (nothing, [item.subject for item in reported]) == ([], [f"product-{n}" for n in range(1, 11)])
    other = [item._replace(subject="product-14") for item in reported[:1]]
    stays = recommendations(world.conn, SHOP, TODAY, {}, other)
    assert [item.subject for item in stays] == [*(f"product-{n}" for n in range(1, 10)), "product-14"]
