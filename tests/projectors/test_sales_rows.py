import datetime as dt
import json

import pytest

from projections.engine.applier import Fenced
from projections.operations.rebuild import rebuild
from projections.registry import REGISTRY
from shared.domain.events.customers import CustomerDetailsChanged, CustomersMerged
from shared.domain.events.sales import SaleRecorded, SaleVoided
from shared.postgres.database import SHARDS
from tests.support.model import Row, Tables
from tests.support.shop_events import DAY, batch, customers, products, sale
from tests.support.world import World, differences

SHOP, OTHER = 7, 70
MORNING, NOON = 9 * 3600, 12 * 3600


def at(seconds: int) -> dt.datetime:
    """Return the time of day in Dhaka at a number of seconds after midnight."""
    return dt.datetime.combine(DAY, dt.time()) + dt.timedelta(seconds=seconds)


def only(rows: list[Row]) -> Row:
    (row,) = rows
    return row


def shown(world: World, businesses: tuple[int, ...] = (SHOP,)) -> Tables:
    world.project("sales")
    return world.rows("sales", businesses=businesses)


def test_products_added_show_with_their_first_price_and_no_sales(world: World) -> None:
    world.append(SHOP, products("Tea", "Größe XL", price=4550))
    tables = shown(world)
    assert (
        differences(
            {"products": tables["products"]},
            {
                "products": [
                    {
                        "business_id": SHOP,
                        "id": i,
                        "name": name,
                        "sort_name": name.casefold(),
                        "priced_at": None,
                        "unit_price": None,
                        "first_price": 4550,
                        "sales": 0,
                        "units": 0,
                        "paisa": 0,
                        "returned": 0,
                        "last_sale_at": None,
                        "outdated": 0,
                    }
                    for i, name in ((1, "Tea"), (2, "Größe XL"))
                ]
            },
        )
        == {}
    )
    assert tables["sales_totals"] == [{"business_id": SHOP, "products": 2, "sales": 0, "paisa": 0, "returned": 0}]


def test_a_sale_shows_the_name_of_the_surviving_customer(world: World) -> None:
    world.append(SHOP, customers(("Rahim", "+8801711000001"), ("করিম", None)))
    world.append(SHOP, CustomerDetailsChanged(1, json.dumps({"name": "Rahima"})), CustomersMerged(1, [2]))
    assert (
        differences(
            {"buyers": shown(world)["buyers"]},
            {
                "buyers": [
                    {"business_id": SHOP, "id": 1, "name": "Rahima", "merged_into": None},
                    {"business_id": SHOP, "id": 2, "name": "করিম", "merged_into": 1},
                ]
            },
        )
        == {}
    )


def test_sales_show_one_row_each_at_their_local_time(world: World) -> None:
    position = world.append(
        SHOP,
        batch(
            SHOP,
            [
                sale(1, product=4, paisa=600, qty=2000, customer=9, time=MORNING + 61, payment=2),
                sale(2, time=None),
            ],
        ),
    )
    assert (
        differences(
            {"transactions": shown(world)["transactions"]},
            {
                "transactions": [
                    {
                        "business_id": SHOP,
                        "id": 1,
                        "sold_at": at(MORNING + 61),
                        "product_id": 4,
                        "customer_id": 9,
                        "quantity": 2000,
                        "paisa": 600,
                        "payment_method": "other",
                        "payment_text": "উপহার কার্ড",
                        "position": position,
                        "source": None,
                    },
                    {
                        "business_id": SHOP,
                        "id": 2,
                        "sold_at": at(0),
                        "product_id": 1,
                        "customer_id": None,
                        "quantity": 1000,
                        "paisa": 1000,
                        "payment_method": None,
                        "payment_text": None,
                        "position": position,
                        "source": None,
                    },
                ]
            },
        )
        == {}
    )


def test_a_day_adds_up_per_means_of_payment_over_all_batches(world: World) -> None:
    world.append(SHOP, batch(SHOP, [sale(1, paisa=100, payment=0), sale(2, 2, paisa=250, payment=0), sale(3, paisa=7)]))
    world.append(SHOP, batch(SHOP, [sale(4, paisa=1000, qty=5000, payment=0)]))
    tables = shown(world)
    day = {"business_id": SHOP, "date": DAY}
    cash = {"payment_method": "cash", "sales": 3, "units": 7000, "paisa": 1350, "returned": 0}
    unknown = {"payment_method": "", "sales": 1, "units": 1000, "paisa": 7, "returned": 0}
    assert differences({"days": tables["sales_days"]}, {"days": [day | cash, day | unknown]}) == {}
    assert (
        differences(
            {"days": tables["product_days"]},
            {
                "days": [
                    day | {"product_id": 1} | cash | {"sales": 2, "units": 6000, "paisa": 1100},
                    day | {"product_id": 2} | cash | {"sales": 1, "units": 1000, "paisa": 250},
                    day | {"product_id": 1} | unknown,
                ]
            },
        )
        == {}
    )
    assert only(tables["sales_totals"]) == {
        "business_id": SHOP,
        "products": 0,
        "sales": 4,
        "paisa": 1357,
        "returned": 0,
    }


def test_a_product_has_the_price_of_its_newest_sale(world: World) -> None:
    world.append(SHOP, products("Tea", price=9999))
    world.append(SHOP, batch(SHOP, [sale(1, paisa=500, qty=2000, time=NOON), sale(2, paisa=100, time=MORNING)]))
    world.append(SHOP, batch(SHOP, [sale(3, paisa=100, date=DAY - dt.timedelta(days=1), time=NOON)]))
    tea = only(shown(world)["products"])
    assert (tea["unit_price"], tea["priced_at"]) == (250, at(NOON))
    assert (tea["sales"], tea["units"], tea["paisa"]) == (3, 4000, 700)


@pytest.mark.parametrize("together", [True, False])
def test_of_two_sales_at_the_same_moment_the_one_recorded_last_sets_the_price(world: World, *, together: bool) -> None:
    first, second = sale(1, paisa=500), sale(2, paisa=700)
    batches = [batch(SHOP, [first, second])] if together else [batch(SHOP, [first]), batch(SHOP, [second])]
    for event in batches:
        world.append(SHOP, event)
        world.project("sales")
    assert only(shown(world)["products"])["unit_price"] == 700


@pytest.mark.parametrize(
    ("paisa", "qty", "price"),
    [(600, 2000, 300), (1001, 2000, 500), (1003, 2000, 502), (1000, 3000, 333), (500, 250, 2000)],
)
def test_a_unit_price_is_rounded_half_to_even(world: World, paisa: int, qty: int, price: int) -> None:
    world.append(SHOP, batch(SHOP, [sale(1, paisa=paisa, qty=qty)]))
    assert only(shown(world)["products"])["unit_price"] == price


def test_a_buyer_without_a_key_shows_as_a_number(world: World) -> None:
    world.append(SHOP, customers(("Rahim", "+8801711000001"), ("Karim", None)))
    world.forget("customer-7-1")
    rahim, karim = sorted(shown(world)["buyers"], key=lambda row: row["id"])
    assert (rahim["name"], karim["name"]) == (None, "Karim")


def test_a_voided_sale_leaves_the_books_with_its_price_and_time(world: World) -> None:
    mistake = SaleRecorded(2, DAY, NOON, 1, None, 2000, 90_000, ("cash", None), "")
    world.append(SHOP, products("Tea"), batch(SHOP, [sale(1, paisa=500, time=MORNING, payment=0)]), mistake)
    before = shown(world)
    assert (only(before["products"])["unit_price"], len(before["transactions"])) == (45_000, 2)
    world.append(SHOP, SaleVoided(2, "ভুল দাম", DAY, NOON, 1, None, 2000, 90_000, "cash"))
    after = shown(world)
    tea = only(after["products"])
    assert (tea["unit_price"], tea["last_sale_at"], tea["sales"], tea["paisa"]) == (500, at(MORNING), 1, 500)
    assert [row["id"] for row in after["transactions"]] == [1]
    assert (only(after["voids"])["id"], only(after["voids"])["reason"]) == (2, "ভুল দাম")
    assert only(after["sales_days"])["sales"] == 1


def test_a_voided_sale_stays_out_of_a_rebuilt_generation(world: World) -> None:
    world.append(SHOP, products("Tea"), batch(SHOP, [sale(1, paisa=500), sale(2, paisa=700), sale(3, 2, paisa=9)]))
    world.append(SHOP, SaleVoided(2, "twice", DAY, None, 1, None, 1000, 700, None))
    live = shown(world)
    rebuild(world.source, REGISTRY["sales"], workers=0)
    assert differences(world.rows("sales", businesses=[SHOP]), live) == {}


def test_equal_ids_of_two_shops_are_two_things(world: World) -> None:
    world.record([(SHOP, products("Tea")), (OTHER, products("Soap")), (SHOP, customers(("Ali", None)))])
    world.record([(OTHER, batch(OTHER, [sale(1, paisa=5, customer=1)])), (SHOP, batch(SHOP, [sale(1, paisa=3)]))])
    ours, theirs = shown(world), shown(world, (OTHER,))
    assert (only(ours["products"])["name"], only(theirs["products"])["name"]) == ("Tea", "Soap")
    assert (only(ours["sales_totals"])["paisa"], only(theirs["sales_totals"])["paisa"]) == (3, 5)
    assert (only(ours["buyers"])["name"], theirs["buyers"]) == ("Ali", [])


def test_the_same_batch_of_events_twice_changes_nothing(world: World) -> None:
    world.record([(SHOP, products("Tea")), (SHOP, batch(SHOP, [sale(1, customer=1)])), (OTHER, products("Soap"))])
    applier = world.applier("sales")
    positions = applier.positions(range(SHARDS))
    events = applier.reader.after(world.conn, 0, limit=10)
    moved = applier.apply(events, positions)
    before = world.rows("sales")
    assert before["transactions"]
    assert applier.apply(events, moved) == moved
    with pytest.raises(Fenced):
        applier.apply(events, positions)
    assert differences(world.rows("sales"), before) == {}
    assert world.progress("sales") == moved == dict.fromkeys(range(SHARDS), events[-1].position)
