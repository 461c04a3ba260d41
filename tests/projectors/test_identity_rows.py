import datetime as dt

import pytest

from projections.engine.applier import Fenced
from shared.domain.events.customers import CustomersMerged
from shared.domain.events.identity import BusinessErasureCancelled, BusinessErasureRequested, BusinessRegistered
from shared.domain.events.sales import Movement, MovementsRecorded, ReceiptStored, SaleRecorded, SaleVoided
from shared.postgres.database import SHARDS
from tests.support.model import Row
from tests.support.shop_events import DAY, accepted, batch, customers, file_id, products, profile, sale
from tests.support.world import World, differences

SHOP = 7
REGISTERED = BusinessRegistered(SHOP, 3, "Ali's Tea Shop", "restaurant")


def shown(world: World, table: str) -> Row:
    world.project("identity")
    (row,) = world.rows("identity")[table]
    return row


def test_a_registered_business_shows_its_profile_and_no_counts(world: World) -> None:
    world.append(SHOP, REGISTERED)
    (registered,) = world.history()
    assert shown(world, "profiles") == {
        "business_id": SHOP,
        "name": "Ali's Tea Shop",
        "type": "restaurant",
        "phone_number": None,
        "city": None,
        "description": None,
        "is_demo": False,
        "created_at": registered.recorded_at,
    }
    assert world.rows("identity")["profile_stats"] == []


def test_a_profile_change_keeps_omitted_and_clears_empty_fields(world: World) -> None:
    world.append(SHOP, REGISTERED)
    world.append(SHOP, profile(SHOP, 3, "+8801711000001", city="Dhaka", description="Best tea"))
    world.append(SHOP, profile(SHOP, 3, name="Ali & Sons", description=""))
    row = shown(world, "profiles")
    assert (row["name"], row["type"], row["city"]) == ("Ali & Sons", "restaurant", "Dhaka")
    assert (row["description"], row["phone_number"]) == ("", "+8801711000001")


def test_an_owner_without_a_key_has_no_phone(world: World) -> None:
    world.append(SHOP, REGISTERED)
    world.append(SHOP, profile(SHOP, 3, "+8801711000001", city="Dhaka"))
    world.forget("user-3")
    row = shown(world, "profiles")
    assert (row["phone_number"], row["city"]) == (None, "Dhaka")


def test_a_shop_that_is_to_be_erased_shows_when_until_its_owner_keeps_it(world: World) -> None:
    after = dt.datetime(2025, 11, 10, 10, 30, tzinfo=dt.UTC)
    later = after + dt.timedelta(days=3)
    world.append(SHOP, REGISTERED, BusinessErasureRequested(SHOP, 3, after))
    assert shown(world, "erasures") == {"business_id": SHOP, "erased_after": after}
    world.append(SHOP, BusinessErasureCancelled(SHOP, 3), BusinessErasureRequested(SHOP, 3, later))
    assert shown(world, "erasures") == {"business_id": SHOP, "erased_after": later}
    world.append(SHOP, BusinessErasureCancelled(SHOP, 3))
    world.project("identity")
    assert world.rows("identity")["erasures"] == []


def test_counts_follow_products_customers_and_sales(world: World) -> None:
    world.append(SHOP, products("Tea", "Soap"), customers(("Rahim", None)), products("Milk", first=3))
    world.append(SHOP, batch(SHOP, [sale(1, paisa=150), sale(2, paisa=250, date=DAY - dt.timedelta(days=3))]))
    world.append(SHOP, batch(SHOP, [sale(3, paisa=1, date=DAY - dt.timedelta(days=9))]), batch(SHOP, [], rejected=4))
    assert shown(world, "profile_stats") == {
        "business_id": SHOP,
        "products": 3,
        "customers": 1,
        "transactions": 3,
        "paisa": 401,
    }


def test_customers_who_are_one_person_count_once(world: World) -> None:
    world.append(SHOP, customers(*((f"Rahim {i}", None) for i in range(1, 6))), CustomersMerged(2, [1]))
    assert shown(world, "profile_stats")["customers"] == 4
    world.append(SHOP, CustomersMerged(3, [2, 1]), CustomersMerged(3, [4]))
    assert shown(world, "profile_stats")["customers"] == 2


def test_a_sale_by_hand_counts_and_a_voided_one_does_not(world: World) -> None:
    late = DAY + dt.timedelta(days=1)
    world.append(SHOP, batch(SHOP, [sale(1, paisa=150)]), SaleRecorded(2, late, None, 1, None, 1000, 250, None, ""))
    world.append(SHOP, SaleVoided(2, "twice", late, None, 1, None, 1000, 250, None))
    stats = shown(world, "profile_stats")
    assert (stats["transactions"], stats["paisa"]) == (1, 150)
    assert [(row["date"], row["sales"]) for row in world.rows("identity")["profile_days"]] == [(DAY, 1)]


def test_movements_are_no_sales(world: World) -> None:
    world.append(SHOP, batch(SHOP, [sale(1, paisa=150)]))
    bought = Movement(3, 2, "purchase", DAY, None, 1, None, None, 5000, 9_900, None)
    world.append(SHOP, MovementsRecorded(file_id(SHOP), [bought], [], ""))
    assert shown(world, "profile_stats")["transactions"] == 1


def test_sources_are_the_kinds_of_files_that_came(world: World) -> None:
    receipt = ReceiptStored("8f14e45f-ceea-467f-a8d1-8f3c1b2a9d01", "image/png", 10, "ab" * 32)
    world.append(SHOP, accepted(SHOP), receipt, accepted(SHOP, 1))
    world.project("identity")
    assert (
        differences(
            {"data_sources": world.rows("identity")["data_sources"]},
            {
                "data_sources": [
                    {"business_id": SHOP, "source": "csv", "uses": 2},
                    {"business_id": SHOP, "source": "receipt_ocr", "uses": 1},
                ]
            },
        )
        == {}
    )


def test_the_same_batch_of_events_twice_changes_nothing(world: World) -> None:
    world.append(SHOP, REGISTERED, products("Tea"), accepted(SHOP), batch(SHOP, [sale(1)]))
    applier = world.applier("identity")
    positions = applier.positions(range(SHARDS))
    events = applier.reader.after(world.conn, 0, limit=10)
    moved = applier.apply(events, positions)
    before = world.rows("identity")
    applier.apply(events, moved)
    with pytest.raises(Fenced):
        applier.apply(events, positions)
    assert differences(world.rows("identity"), before) == {}
    assert before["profile_stats"][0]["transactions"] == 1
