"""Customers of the unit's business, as several domains find them in the write-side index or add them to it."""

import base64
from collections.abc import Callable, Mapping
from typing import NamedTuple

from shared.domain.contacts import name_key
from shared.domain.events.sales import CustomersAdded, NewCustomer
from shared.eventstore.store import UnitOfWork

MERGED = "customer_merged"
# (kind, count) -> the first of `count` consecutive public ids of a kind, "product" or "customer".
Allot = Callable[[str, int], int]

# Select whether a business has a customer of this id, and the id of the customer it was merged into.
SELECT_CUSTOMER = """SELECT
    EXISTS (SELECT FROM log.index_rows WHERE kind = 'customer' AND scope = %s AND value = %s AND value > 0) AS known,
    (SELECT value FROM log.index_rows WHERE kind = 'customer_merged' AND scope = %s AND key = %s) AS survivor"""

# Select the subjects of a business's customers that have a key.
SELECT_SUBJECTS = "SELECT subject FROM vault.keys WHERE starts_with(subject, %s)"


class FoundCustomer(NamedTuple):
    """`known`: the business has this customer now; `survivor`: the id of the customer it was merged into, if any."""

    known: bool
    survivor: int | None

    @property
    def existed(self) -> bool:
        """Return whether there is or was a customer of this id."""
        return self.known or self.survivor is not None


class Person(NamedTuple):
    """What is known of a customer who may be new: the name as written, and the phone in normal form."""

    name: str | None
    phone: str | None = None

    @property
    def key(self) -> str:
        """Return what distinguishes this customer from others: the phone if there is one, else the name."""
        return f"tel:{self.phone}" if self.phone else f"name:{name_key(self.name or '')}"


def find_customer(unit: UnitOfWork, customer_id: int) -> FoundCustomer:
    """Return what the index knows of a customer id."""
    scope = unit.business_id or 0
    (row,) = unit.sql(SELECT_CUSTOMER, (scope, customer_id, scope, merged_key(customer_id)))
    return FoundCustomer(row["known"], row["survivor"])


def found_or_added(
    unit: UnitOfWork, allot: Allot, people: Mapping[str, Person]
) -> tuple[dict[str, int], CustomersAdded | None]:
    """Return the id of each person by key, and the event that adds the new ones, in the order of `people`.

    What is known of a new customer is sealed under a key of its own; the lookup key is claimed.
    """
    index_keys = {key: unit.vault.lookup_key("customer", unit.business_id, key) for key in people}
    found = unit.find("customer", list(index_keys.values()))
    known = {key: found[index] for key, index in index_keys.items() if index in found}
    missing = [key for key in people if key not in known]
    if not missing:
        return known, None
    numbers = {key: number for number, key in enumerate(missing, allot("customer", len(missing)))}
    keys = unit.vault.keys([customer_subject(unit.business_id, number) for number in numbers.values()], create=True)
    added = []
    for key, number in numbers.items():
        unit.claim("customer", index_keys[key], number)
        sealed = keys.seal(customer_subject(unit.business_id, number), people[key]._asdict())
        added.append(NewCustomer(number, base64.b64encode(index_keys[key]).decode(), sealed))
    return known | numbers, CustomersAdded(added)


def merged_key(customer_id: int) -> bytes:
    """Return the index key of a merged customer; its value is the surviving id."""
    return customer_id.to_bytes(8, "big")


def customer_subject(business_id: int | None, customer_id: int) -> str:
    """Return the subject under which a customer's data is sealed, which is also the name of the customer's stream."""
    return f"customer-{business_id}-{customer_id}"


def customer_subjects(unit: UnitOfWork) -> list[str]:
    """Return the subjects of all customers of the business that have a key."""
    return [row["subject"] for row in unit.sql(SELECT_SUBJECTS, (f"customer-{unit.business_id}-",))]
