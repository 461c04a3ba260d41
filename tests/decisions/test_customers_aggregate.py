"""Given what is known of customers, what may be changed and who may be merged."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from shared.domain.events.customers import CustomerDataErased, CustomerDetailsChanged, CustomersMerged
from shared.domain.events.sales import CustomersAdded, NewCustomer
from shared.domain.refusals.customers import (
    CustomerErased,
    CustomerMerged,
    CustomerNotFound,
    CustomerTaken,
    SameCustomer,
)
from shared.eventstore.event import Event
from write_side.customers.aggregate import (
    ChangeCustomer,
    Command,
    Customer,
    EraseCustomer,
    LookupKey,
    MergeCustomers,
    Private,
    decide,
    evolve,
)

ADDED = CustomersAdded([NewCustomer(1, "key", "sealed")])
STORY: list[tuple[Event, Private]] = [
    (ADDED, {"name": "Rahim", "phone": None}),
    (CustomerDetailsChanged(1, "sealed"), {"phone": "+8801711000001", "notes": "pays late"}),
    (CustomerDetailsChanged(1, "sealed"), {"notes": ""}),
]


def reported(*story: tuple[Event, Private], number: int = 1) -> Customer:
    customer = Customer(number)
    for event, private in story:
        customer = evolve(customer, event, private)
    return customer


def test_the_newest_word_counts_and_empty_text_takes_back() -> None:
    assert reported(*STORY).details == {
        "name": "Rahim",
        "phone": "+8801711000001",
        "email": "",
        "address": "",
        "notes": "",
    }


def seal(details: Mapping[str, str]) -> str:
    """Show what is sealed, for tests to read."""
    return " ".join(f"{name}={value}" for name, value in details.items())


def test_only_what_differs_is_a_change() -> None:
    command = ChangeCustomer({"name": "Rahim", "phone": None, "notes": None, "email": "r@shop.bd"})
    assert decide(command, reported(*STORY), seal) == [CustomerDetailsChanged(1, "phone= email=r@shop.bd", [])]
    assert decide(ChangeCustomer({"name": "Rahim"}), reported(*STORY), seal) == []


def test_a_new_name_or_phone_is_a_key_unless_another_customer_has_it() -> None:
    keys = {"name": LookupKey("k1", 1), "phone": LookupKey("k2", None)}
    command = ChangeCustomer({"name": "Karim", "phone": "+8801711000009"}, keys)
    (event,) = decide(command, reported(*STORY), seal)
    assert event == CustomerDetailsChanged(1, "name=Karim phone=+8801711000009", ["k2"])
    with pytest.raises(CustomerTaken) as refused:
        decide(replace(command, lookup_keys={"phone": LookupKey("k2", 5)}), reported(*STORY), seal)
    assert refused.value.details == {"field": "phone", "customer_id": 5}


def test_a_key_of_another_customer_matters_only_where_the_detail_changes() -> None:
    command = ChangeCustomer({"name": "Rahim", "notes": "new"}, {"name": LookupKey("k1", 5)})
    assert decide(command, reported(*STORY), seal) == [CustomerDetailsChanged(1, "notes=new", [])]


def test_a_merge_names_everyone_who_means_the_survivor_from_now_on() -> None:
    other = reported((CustomersMerged(2, [5]), {}), (CustomersMerged(2, [6, 5]), {}), number=2)
    assert decide(MergeCustomers(other), Customer(1), seal) == [CustomersMerged(1, [2, 5, 6])]


def test_the_survivor_inherits_missing_details_but_not_the_name() -> None:
    details = {**reported(*STORY).details, "email": "x@shop.bd", "name": "Rohim"}
    other = replace(reported(*STORY, number=2), details=details)
    survivor = reported(*STORY[:1])
    assert decide(MergeCustomers(other), survivor, seal) == [
        CustomersMerged(1, [2]),
        CustomerDetailsChanged(1, "phone=+8801711000001 email=x@shop.bd", []),
    ]
    assert decide(MergeCustomers(survivor), other, seal) == [CustomersMerged(2, [1])]


@pytest.mark.parametrize(
    ("survivor", "other", "refusal"),
    [
        (Customer(1), Customer(1), SameCustomer),
        (Customer(1), Customer(2, known=False), CustomerNotFound),
        (Customer(1, known=False), Customer(2), CustomerNotFound),
        (Customer(1, known=False), Customer(1, known=False), CustomerNotFound),
        (Customer(1), Customer(2, survivor=1), CustomerMerged),
        (Customer(1, survivor=2), Customer(2), CustomerMerged),
    ],
)
def test_an_unknown_or_merged_customer_cannot_be_merged(
    survivor: Customer, other: Customer, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        decide(MergeCustomers(other), survivor, seal)


@pytest.mark.parametrize(
    ("customer", "refusal"), [(Customer(1, known=False), CustomerNotFound), (Customer(1, survivor=2), CustomerMerged)]
)
@pytest.mark.parametrize("command", [ChangeCustomer({"notes": "x"}), MergeCustomers(Customer(3))])
def test_an_unknown_or_merged_customer_cannot_be_changed(
    customer: Customer, refusal: type[Exception], command: Command
) -> None:
    with pytest.raises(refusal):
        decide(command, customer, seal)


def test_an_erasure_covers_everyone_who_means_the_customer_and_leaves_no_detail() -> None:
    customer = reported(*STORY, (CustomersMerged(1, [2, 5]), {}))
    (erased,) = decide(EraseCustomer(["k1", "k2"], "k3"), customer, seal)
    assert erased == CustomerDataErased(1, [2, 5], ["k1", "k2"], "k3")
    assert evolve(customer, erased).details == Customer(1).details


def test_an_erased_customer_is_neither_changed_nor_merged_nor_erased_again() -> None:
    erased = reported(*STORY, (CustomerDataErased(1, [], ["k1"], "k3"), {}))
    for command, customer in (
        (ChangeCustomer({"name": "Rahim"}), erased),
        (MergeCustomers(Customer(2)), erased),
        (MergeCustomers(erased), Customer(2)),
    ):
        with pytest.raises(CustomerErased) as refused:
            decide(command, customer, seal)
        assert refused.value.details == {"id": 1}
    assert decide(EraseCustomer(["k3"], "k3"), erased, seal) == []


@pytest.mark.parametrize(
    ("customer", "refusal"), [(Customer(1, known=False), CustomerNotFound), (Customer(1, survivor=2), CustomerMerged)]
)
def test_only_a_customer_of_its_own_is_erased(customer: Customer, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        decide(EraseCustomer([], "k3"), customer, seal)
