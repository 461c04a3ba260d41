"""An erased customer, whose keys are gone: live rows and rebuilt ones show the same nothing."""

import pytest

from projections.operations.rebuild import rebuild
from projections.registry import REGISTRY
from shared.domain.events.customers import CustomerDataErased, CustomerDetailsChanged, CustomersMerged
from tests.support.model import Tables
from tests.support.shop_events import batch, completed, customers, products, sale
from tests.support.world import World

SHOP = 7
NAMES = ("customers", "sales")


def ordered(found: Tables) -> Tables:
    """Return tables with their rows in an order of their own."""
    return {name: sorted(rows, key=lambda row: str(sorted(row.items()))) for name, rows in found.items()}


def history(world: World) -> None:
    world.append(SHOP, products("Tea"), customers(("Rahim", "+8801711000001"), ("Rohim", None), ("Karim", None)))
    world.append(SHOP, batch(SHOP, [sale(number, customer=number) for number in (1, 2, 3)]), completed(SHOP, 3))
    world.append(
        SHOP, CustomerDetailsChanged(1, '{"email": "r@shop.bd", "notes": "pays late"}'), CustomersMerged(1, [2])
    )


@pytest.mark.parametrize("behind", [False, True], ids=["projected before", "projected after"])
def test_nothing_of_an_erased_customer_is_left_but_the_ids_and_the_sums(world: World, *, behind: bool) -> None:
    history(world)
    if not behind:
        world.project()
    for subject in ("customer-7-1", "customer-7-2"):
        world.forget(subject)
    world.append(SHOP, CustomerDataErased(1, [2], [], ""))
    world.project()
    live = {name: ordered(world.rows(name)) for name in NAMES}
    people = {row["id"]: row for row in live["customers"]["people"]}
    assert {
        people[number][detail] for number in (1, 2) for detail in ("sort_name", "name", "phone", "email", "notes")
    } == {None}
    assert people[3]["name"] == "Karim"
    buyers = {row["id"]: (row["name"], row["merged_into"]) for row in live["sales"]["buyers"]}
    assert buyers == {1: (None, None), 2: (None, 1), 3: ("Karim", None)}
    assert sum(row["sales"] for row in live["customers"]["churn"] if row["id"] == 1) == 2
    for name in NAMES:
        assert live[name] == ordered(world.expected(name))
        rebuild(world.source, REGISTRY[name], workers=0)
        assert ordered(world.rows(name)) == live[name]
