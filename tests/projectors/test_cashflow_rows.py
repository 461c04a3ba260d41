import datetime as dt

import pytest

from shared.domain.events.cashflow import (
    CashSettingsChanged,
    CollectionRecorded,
    CollectionVoided,
    ExpenseEnded,
    ExpenseRecorded,
    ExpenseVoided,
    OpeningDebtRecorded,
    OpeningDebtVoided,
)
from shared.domain.events.customers import CustomersMerged
from shared.domain.events.sales import Movement, MovementsRecorded, SaleRecorded, SaleVoided
from shared.postgres.database import SHARDS
from tests.support.model import Row, Tables
from tests.support.shop_events import DAY, batch, file_id, sale
from tests.support.world import World, differences

SHOP, OTHER = 7, 70
PAYMENTS: list[tuple[str, str | None]] = [("cash", None), ("credit", None)]
CASH, CREDIT = 0, 1
NOTHING = dict.fromkeys(("takings", "lent", "refunds", "purchases", "expenses", "collections", "sale_count"), 0)


def shown(world: World) -> Tables:
    world.project("cashflow")
    return world.rows("cashflow")


def day(**sums: int) -> dict[str, list[Row]]:
    return {"days": [{"business_id": SHOP, "date": DAY, **NOTHING, **sums}]}


def moved(kind: str, paisa: int, payment: int | None = CASH, customer: int | None = None) -> MovementsRecorded:
    movement = Movement(2, 9, kind, DAY, None, None, customer, None, 0, paisa, payment)
    return MovementsRecorded(file_id(SHOP), [movement], PAYMENTS, "")


def test_sales_on_credit_are_lent_and_no_takings(world: World) -> None:
    sales = [sale(1, paisa=100, payment=CASH), sale(2, paisa=20, customer=3, payment=CREDIT), sale(3, paisa=7)]
    world.append(SHOP, batch(SHOP, [*sales, sale(4, paisa=5, payment=CREDIT)], payments=PAYMENTS))
    tables = shown(world)
    assert differences({"days": tables["cash_days"]}, day(takings=107, lent=25, sale_count=4)) == {}
    owed = {row["customer_id"]: (row["lent"], row["paid"]) for row in tables["baki_totals"]}
    assert owed == {3: (20, 0), 0: (5, 0)}


@pytest.mark.parametrize("method", ["cash", "credit"])
def test_a_voided_sale_leaves_nothing_behind(world: World, method: str) -> None:
    world.append(SHOP, SaleRecorded(1, DAY, None, 1, 3, 1000, 100, (method, None), ""))
    world.append(SHOP, SaleVoided(1, "wrong", DAY, None, 1, 3, 1000, 100, method))
    tables = shown(world)
    assert (tables["cash_days"], tables["baki_days"], tables["baki_totals"]) == ([], [], [])


def test_expenses_have_a_column_and_a_credit_return_reduces_the_debt(world: World) -> None:
    world.append(SHOP, moved("return", 1), moved("purchase", 20, CREDIT), moved("expense", 300, None))
    world.append(SHOP, moved("return", 4000, CREDIT, customer=3))
    tables = shown(world)
    assert differences({"days": tables["cash_days"]}, day(refunds=1, purchases=20, expenses=300, lent=-4000)) == {}
    assert [(row["customer_id"], row["lent"]) for row in tables["baki_days"]] == [(3, -4000)]


def test_collections_count_for_the_shop_and_the_customer(world: World) -> None:
    world.append(SHOP, CollectionRecorded(1, DAY, 50, 3), CollectionRecorded(2, DAY, 5, 4))
    world.append(SHOP, CustomersMerged(3, [4]))
    tables = shown(world)
    assert differences({"days": tables["cash_days"]}, day(collections=55)) == {}
    assert {row["customer_id"]: row["paid"] for row in tables["baki_totals"]} == {3: 50, 4: 5}
    assert tables["baki_merges"] == [{"business_id": SHOP, "id": 4, "customer_id": 3}]


def test_a_twice_merged_customer_is_the_last_survivor(world: World) -> None:
    world.append(SHOP, CustomersMerged(3, [4]), CustomersMerged(5, [3, 4]))
    assert {row["id"]: row["customer_id"] for row in shown(world)["baki_merges"]} == {3: 5, 4: 5}


def test_settings_and_expenses_keep_what_was_not_said_again(world: World) -> None:
    world.append(SHOP, CashSettingsChanged(500, DAY, 9), CashSettingsChanged(critical_threshold=0))
    later = DAY + dt.timedelta(9)
    world.append(SHOP, ExpenseRecorded(1, DAY, 70, "ভাড়া", "monthly"), ExpenseEnded(1, later))
    tables = shown(world)
    assert tables["cash_settings"] == [
        {"business_id": SHOP, "opening_balance": 500, "opening_date": DAY, "critical_threshold": 0}
    ]
    assert tables["cash_expenses"] == [
        {
            "business_id": SHOP,
            "id": 1,
            "date": DAY,
            "amount": 70,
            "category": "ভাড়া",
            "recurring": "monthly",
            "ended_on": later,
            "voided": None,
        }
    ]


def test_a_voided_collection_and_opening_debt_leave_nothing_behind(world: World) -> None:
    world.append(SHOP, CollectionRecorded(1, DAY, 50, 3), OpeningDebtRecorded(1, "debt", DAY, 900, 3))
    world.append(SHOP, OpeningDebtRecorded(2, "advance", DAY, 70, 3), ExpenseRecorded(1, DAY, 5, "tea", None))
    tables = shown(world)
    assert differences({"days": tables["cash_days"]}, day(collections=50)) == {}
    assert [(row["lent"], row["paid"]) for row in tables["baki_totals"]] == [(900, 120)]
    assert [row["kind"] for row in tables["opening_debts"]] == ["debt", "advance"]
    world.append(SHOP, CollectionVoided(1, "x", DAY, 50, 3), OpeningDebtVoided(1, "x", "debt", DAY, 900, 3))
    world.append(SHOP, OpeningDebtVoided(2, "x", "advance", DAY, 70, 3), ExpenseVoided(1, "x", DAY, 5))
    tables = shown(world)
    assert tables["cash_days"] == []
    assert {(row["lent"], row["paid"]) for row in tables["baki_totals"]} <= {(0, 0)}
    assert (tables["collections"], tables["opening_debts"]) == ([], [])
    assert [row["voided"] for row in tables["cash_expenses"]] == [True]


def test_the_same_events_twice_change_nothing(world: World) -> None:
    world.record([(SHOP, CollectionRecorded(1, DAY, 50, 3)), (OTHER, CollectionRecorded(1, DAY, 5, 3))])
    applier = world.applier("cashflow")
    positions = applier.positions(range(SHARDS))
    events = applier.reader.after(world.conn, 0, limit=10)
    moved_to = applier.apply(events, positions)
    before = world.rows("cashflow")
    assert {row["collections"] for row in before["cash_days"]} == {50, 5}
    assert applier.apply(events, moved_to) == moved_to
    assert differences(world.rows("cashflow"), before) == {}
