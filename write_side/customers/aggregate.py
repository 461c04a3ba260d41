"""Aggregate of a customer: details, merges of two customers who are one person, and the erasure of what is known.

`decide` takes the command, the state, and a function that seals personal data; it returns the events or raises a
refusal. `evolve` takes the opened personal data of an event beside the event.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from shared.domain.events.customers import CustomerDataErased, CustomerDetailsChanged, CustomersMerged
from shared.domain.events.sales import CustomersAdded
from shared.domain.refusals.customers import (
    CustomerErased,
    CustomerMerged,
    CustomerNotFound,
    CustomerTaken,
    SameCustomer,
)
from shared.eventstore.event import Event

DETAILS = ("name", "phone", "email", "address", "notes")
Private = Mapping[str, str | None]
# Returns the details sealed under the customer's own key.
Seal = Callable[[Mapping[str, str]], str]
NOTHING: Final[Private] = MappingProxyType({})
_UNKNOWN: Final[Private] = MappingProxyType(dict.fromkeys(DETAILS, ""))


@dataclass(frozen=True)
class Customer:
    """A customer with its details, "" where one is unknown or was cleared.

    merged: the ids of customers merged into this one; survivor: the id of the customer it was merged into; known:
    whether the business has such a customer; erased: its personal data is gone.
    """

    customer_id: int
    known: bool = True
    survivor: int | None = None
    merged: Sequence[int] = ()
    details: Private = field(default_factory=lambda: _UNKNOWN)
    erased: bool = False


@dataclass(frozen=True)
class LookupKey:
    """The key by which uploads find a customer by name or phone, and the id of the customer it finds now."""

    key: str
    owner: int | None


@dataclass(frozen=True)
class ChangeCustomer:
    """Change details of a customer, None clears one; `lookup_keys` by detail for those that uploads look up by."""

    details: Private
    lookup_keys: Mapping[str, LookupKey] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class MergeCustomers:
    """Merge `other`, with all customers merged into it, into this customer."""

    other: Customer


@dataclass(frozen=True)
class EraseCustomer:
    """Erase the personal data: `keys` are the lookup keys that are removed, `key` replaces them."""

    keys: Sequence[str]
    key: str


Command = ChangeCustomer | MergeCustomers | EraseCustomer


def decide(command: Command, customer: Customer, seal: Seal) -> Sequence[Event]:
    """Return the events of a command; none if it changes nothing.

    Raises CustomerNotFound, CustomerMerged for a customer that was merged into another one, CustomerTaken for a name or
    phone by which another customer is found, SameCustomer for a merge with itself, CustomerErased for a customer whose
    personal data is gone; erasing it again changes nothing.
    """
    if isinstance(command, EraseCustomer):
        return _erase(command, customer)
    _require_current(customer)
    match command:
        case ChangeCustomer():
            return _change(command, customer, seal)
        case MergeCustomers():
            return _merge(command.other, customer, seal)


def evolve(customer: Customer, event: Event, private: Private = NOTHING) -> Customer:
    """Return the customer after one more event, whose sealed part opened to `private`."""
    match event:
        case CustomersAdded() | CustomerDetailsChanged():
            changed = {name: value for name, value in private.items() if name in DETAILS and value is not None}
            return replace(customer, details={**customer.details, **changed})
        case CustomersMerged():
            added = [merged for merged in event.merged_ids if merged not in customer.merged]
            return replace(customer, merged=[*customer.merged, *added])
        case CustomerDataErased():
            return replace(customer, details=_UNKNOWN, erased=True)
    return customer


def _require_current(customer: Customer) -> None:
    _require_own(customer)
    if customer.erased:
        raise CustomerErased(details={"id": customer.customer_id})


def _require_own(customer: Customer) -> None:
    if customer.survivor is not None:
        details = {"id": customer.customer_id, "customer_id": customer.survivor}
        raise CustomerMerged(details=details, survivor=customer.survivor)
    if not customer.known:
        raise CustomerNotFound(details={"id": customer.customer_id})


def _change(command: ChangeCustomer, customer: Customer, seal: Seal) -> list[Event]:
    wanted = {name: value or "" for name, value in command.details.items()}
    changed = {name: value for name, value in wanted.items() if value != customer.details[name]}
    if not changed:
        return []
    keys = []
    for name, found in command.lookup_keys.items():
        if not changed.get(name):
            continue
        if found.owner is None:
            keys.append(found.key)
        elif found.owner != customer.customer_id:
            raise CustomerTaken(details={"field": name, "customer_id": found.owner})
    return [CustomerDetailsChanged(customer.customer_id, seal(changed), keys)]


def _erase(command: EraseCustomer, customer: Customer) -> list[Event]:
    _require_own(customer)
    if customer.erased:
        return []
    return [CustomerDataErased(customer.customer_id, list(customer.merged), list(command.keys), command.key)]


def _merge(other: Customer, survivor: Customer, seal: Seal) -> list[Event]:
    """Return the merge and, in a second event, the details that only the merged customer had, except the name."""
    if other.customer_id == survivor.customer_id:
        raise SameCustomer(details={"customer_id": other.customer_id})
    _require_current(other)
    merged: list[Event] = [CustomersMerged(survivor.customer_id, [other.customer_id, *other.merged])]
    inherited = {
        name: value for name, value in other.details.items() if value and name != "name" and not survivor.details[name]
    }
    return [*merged, CustomerDetailsChanged(survivor.customer_id, seal(inherited), [])] if inherited else merged
