import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from projections.engine.deltas import Deltas
from projections.engine.derivation import FoldedFacts
from projections.inventory.derivation import STOCK, TOTALS, derive
from projections.inventory.projector import INVENTORY
from shared.domain.events.inventory import ProductDetailsChanged, ProductLine, ProductSheetRecorded, StockMoved
from shared.domain.events.sales import Movement, MovementsRecorded, SaleRecorded, SaleVoided
from shared.domain.rules.registry import BOOK
from shared.eventstore.codec import RecordedEvent, encode
from shared.eventstore.event import Event
from shared.eventstore.vault import SubjectKeys
from tests.support.model import Row, Tables
from tests.support.shop_events import DAY, batch, completed, file_id, products, sale
from tests.support.world import World

SHOP = 7
MORNING, NOON, EVENING = 9 * 3600, 12 * 3600, 18 * 3600
KEPT = ("on_hand", "stock_known", "reorder_point", "reorder_auto", "is_low")


def ago(days: int) -> dt.date:
    return DAY - dt.timedelta(days=days)


def count(quantity: int, date: dt.date = DAY, time: int = NOON, product: int = 1) -> StockMoved:
    return StockMoved(product, "count", quantity, date, time)


def sold(tx: int, qty: int, date: dt.date = DAY, time: int | None = EVENING) -> SaleRecorded:
    return SaleRecorded(tx, date, time, 1, None, qty, 1000, None, "")


def voided(event: SaleRecorded) -> SaleVoided:
    return SaleVoided(event.tx, "typo", event.date, event.time, event.product_id, None, event.qty, event.paisa, None)


def shown(world: World) -> Tables:
    world.project("inventory")
    return world.rows("inventory", businesses=(SHOP,))


def tea(world: World) -> Row:
    (row,) = [row for row in shown(world)["stock"] if row["product_id"] == 1]
    return row


@pytest.fixture
def shop(world: World) -> World:
    world.append(SHOP, products("Tea"))
    return world


def test_a_product_that_was_never_counted_has_no_known_stock_and_is_never_low(shop: World) -> None:
    shop.append(SHOP, StockMoved(1, "receive", 5000, DAY, NOON), ProductDetailsChanged(1, reorder_point=9000))
    assert {column: tea(shop)[column] for column in KEPT} == {
        "on_hand": 0,
        "stock_known": False,
        "reorder_point": 9000,
        "reorder_auto": False,
        "is_low": False,
    }


def test_stock_is_the_last_count_and_what_came_and_went_after_it(shop: World) -> None:
    shop.append(SHOP, sold(1, 2000, time=MORNING), count(40_000), sold(2, 3000))
    shop.append(SHOP, *(StockMoved(1, kind, 1000, DAY, EVENING) for kind in ("receive", "return", "waste")))
    shop.append(SHOP, StockMoved(1, "adjust", -500, DAY, EVENING))
    assert tea(shop)["on_hand"] == 40_000 - 3000 + 1000 + 1000 - 1000 - 500


def test_a_sale_that_becomes_known_late_counts_by_its_own_time(shop: World) -> None:
    shop.append(SHOP, count(40_000))
    shop.append(SHOP, sold(1, 2000, time=NOON))
    assert tea(shop)["on_hand"] == 40_000
    shop.append(SHOP, sold(2, 3000, time=NOON + 1))
    assert tea(shop)["on_hand"] == 37_000


def on_hand(*entered: Event) -> int:
    """Return the stock of a product of which all of this was entered within one second."""
    deltas = Deltas(INVENTORY.folded)
    moment = dt.datetime.combine(DAY, dt.time(12, tzinfo=ZoneInfo("Asia/Dhaka")))
    for position, event in enumerate(entered, 1):
        recorded = RecordedEvent(position, "test", 1, event.topic, SHOP, moment, {}, encode(event))
        INVENTORY.fold(recorded, deltas, SubjectKeys({}))
    derived = Deltas((STOCK, TOTALS))
    derive(FoldedFacts(SHOP, deltas), DAY, BOOK.released, derived)
    ((_, _, quantity, *_),) = derived.merged(STOCK)
    return int(quantity)


def test_movements_entered_live_keep_their_order() -> None:
    before, after = sold(1, 1000, DAY, None), sold(2, 3000, DAY, None)
    first, second = (StockMoved(1, "receive", quantity, DAY, NOON) for quantity in (9000, 5000))
    entered = [before, first, count(40_000), after, second]
    assert on_hand(*entered) == 42_000
    assert on_hand(*entered, voided(before)) == 42_000
    assert on_hand(*entered, voided(before), voided(after)) == 45_000
    assert on_hand(count(40_000), sold(1, 1000, DAY - dt.timedelta(days=1), None)) == 40_000


def test_a_void_of_a_ledgers_sale_counts_by_the_time_of_the_sale(shop: World) -> None:
    early, late = (sale(i, qty=1000, date=DAY, time=time) for i, time in ((1, MORNING), (2, EVENING)))
    shop.append(SHOP, count(40_000), batch(SHOP, [early, late]), completed(SHOP))
    assert tea(shop)["on_hand"] == 39_000
    shop.append(SHOP, voided(sold(1, 1000, DAY, MORNING)))
    assert tea(shop)["on_hand"] == 39_000
    shop.append(SHOP, voided(sold(2, 1000, DAY, EVENING)))
    assert tea(shop)["on_hand"] == 40_000


def test_sales_without_a_time_come_first_on_their_day(shop: World) -> None:
    shop.append(SHOP, count(40_000, ago(1)), sold(1, 2000, ago(1), None), sold(2, 1000, DAY, None))
    assert tea(shop)["on_hand"] == 39_000


def test_an_older_count_that_becomes_known_late_changes_nothing(shop: World) -> None:
    shop.append(SHOP, count(40_000), count(99_000, ago(3)))
    assert tea(shop)["on_hand"] == 40_000


def test_of_two_counts_at_one_moment_the_later_recorded_wins(shop: World) -> None:
    for quantity in (40_000, 30_000):
        shop.append(SHOP, count(quantity))
        assert tea(shop)["on_hand"] == quantity


def test_a_voided_sale_is_on_the_shelf_again(shop: World) -> None:
    wrong = sold(1, 4000)
    shop.append(SHOP, count(40_000), wrong)
    assert tea(shop)["on_hand"] == 36_000
    shop.append(SHOP, voided(wrong))
    assert tea(shop)["on_hand"] == 40_000


def test_a_count_of_long_ago_still_holds(shop: World) -> None:
    shop.append(SHOP, count(100_000, ago(400)))
    shop.append(SHOP, batch(SHOP, [sale(i, date=ago(399 - 5 * i)) for i in range(80)]), completed(SHOP))
    assert tea(shop)["on_hand"] == 20_000


def test_goods_brought_back_and_bought_move_the_stock_and_expenses_do_not(shop: World) -> None:
    kinds = (("return", 1, 1000), ("purchase", 1, 5000), ("expense", None, 0))
    moved = [Movement(2, i, kind, DAY, EVENING, p, None, None, q, 100, None) for i, (kind, p, q) in enumerate(kinds)]
    shop.append(SHOP, count(1000), MovementsRecorded(file_id(SHOP), moved, [], ""), completed(SHOP))
    assert tea(shop)["on_hand"] == 7000


def test_a_stock_column_is_a_count_at_the_end_of_its_day(shop: World) -> None:
    line = ProductLine(1, "TEA-1", 4500, 12_000, DAY)
    shop.append(SHOP, ProductSheetRecorded(file_id(SHOP), [line]), sold(1, 1000, DAY, 86_399))
    assert tea(shop)["on_hand"] == 12_000
    (goods,) = shown(shop)["goods"]
    assert (goods["sku"], goods["cost"]) == ("TEA-1", 4500)
    shop.append(SHOP, sold(2, 2000, DAY + dt.timedelta(days=1), None))
    assert tea(shop)["on_hand"] == 10_000


def test_a_file_being_read_does_not_move_the_stock_until_it_is_read(shop: World) -> None:
    shop.append(SHOP, count(40_000), batch(SHOP, [sale(1, date=DAY, time=EVENING)]))
    assert tea(shop)["on_hand"] == 40_000
    shop.append(SHOP, completed(SHOP))
    assert tea(shop)["on_hand"] == 39_000


def test_stock_is_low_strictly_below_the_reorder_point(shop: World) -> None:
    shop.append(SHOP, ProductDetailsChanged(1, reorder_point=40_000), count(40_000))
    assert tea(shop)["is_low"] is False
    shop.append(SHOP, sold(1, 1000))
    assert tea(shop)["is_low"] is True
    assert shown(shop)["stock_totals"] == [{"business_id": SHOP, "products": 1, "low": 1}]


def test_a_reorder_point_is_computed_from_demand_until_the_owner_sets_one(shop: World) -> None:
    shop.append(SHOP, batch(SHOP, [sale(i, qty=2000, date=ago(i)) for i in range(20)]), completed(SHOP))
    assert (tea(shop)["reorder_point"], tea(shop)["reorder_auto"]) == (6000, True)
    shop.append(SHOP, ProductDetailsChanged(1, lead_time_days=7))
    assert tea(shop)["reorder_point"] == 14_000
    shop.append(SHOP, ProductDetailsChanged(1, reorder_point=0))
    assert (tea(shop)["reorder_point"], tea(shop)["reorder_auto"]) == (0, False)
    shop.append(SHOP, ProductDetailsChanged(1, cleared=["reorder_point", "lead_time_days"]))
    assert (tea(shop)["reorder_point"], tea(shop)["reorder_auto"]) == (6000, True)


def test_too_little_history_gives_no_reorder_point(shop: World) -> None:
    shop.append(SHOP, batch(SHOP, [sale(i, qty=2000, date=ago(i)) for i in range(13)]), completed(SHOP))
    assert (tea(shop)["reorder_point"], tea(shop)["reorder_auto"]) == (None, False)
    shop.append(SHOP, sold(99, 2000, ago(13)))
    assert tea(shop)["reorder_point"] is not None


def test_cleared_product_details_are_empty(shop: World) -> None:
    said = ProductDetailsChanged(1, "T", "kg", 100, 90, 1500, 2, 5000, 10_000)
    shop.append(SHOP, said, ProductDetailsChanged(1, cleared=["sku", "unit", "cost", "pack_size"]))
    (goods,) = shown(shop)["goods"]
    assert (goods["sku"], goods["unit"], goods["cost"], goods["pack_size"]) == ("", "", -1, -1)
    assert (goods["unit_price"], goods["min_order"], goods["lead_time_days"]) == (100, 10_000, 2)
