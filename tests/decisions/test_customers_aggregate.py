"""Given what is known of customers, what may be changed and who may be merged."""

from dataclasses import replace

import pytest

from shared.domain.events.base import Event
from shared.domain.events.customers import CustomerDetailsChanged, CustomersMerged
from shared.domain.events.sales import CustomersAdded, NewCustomer
from shared.domain.refusals.customers import CustomerMerged, CustomerNotFound, SameCustomer
from write_side.customers.aggregate import Customer, Private, changes, evolve, inherited, merge

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


def test_only_what_differs_is_a_change() -> None:
    said = {"name": "Rahim", "phone": None, "notes": None, "email": "r@shop.bd"}
    assert changes(said, reported(*STORY)) == {"phone": "", "email": "r@shop.bd"}
    assert changes({"name": "Rahim"}, reported(*STORY)) == {}


def test_a_merge_names_everyone_who_means_the_survivor_from_now_on() -> None:
    other = reported((CustomersMerged(2, [5]), {}), (CustomersMerged(2, [6, 5]), {}), number=2)
    assert merge(Customer(1), other) == CustomersMerged(1, [2, 5, 6])


def test_the_survivor_inherits_missing_details_but_not_the_name() -> None:
    other = replace(reported(*STORY), details={**reported(*STORY).details, "email": "x@shop.bd", "name": "Rohim"})
    survivor = reported(*STORY[:1])
    assert inherited(survivor, other) == {"phone": "+8801711000001", "email": "x@shop.bd"}
    assert inherited(other, survivor) == {}


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
        merge(survivor, other)


@pytest.mark.parametrize(
    ("customer", "refusal"), [(Customer(1, known=False), CustomerNotFound), (Customer(1, survivor=2), CustomerMerged)]
)
def test_an_unknown_or_merged_customer_cannot_be_changed(customer: Customer, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        changes({"notes": "x"}, customer)
