"""What the owner may say of customers, and which of them are one person: commands in, events or a refusal out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from shared.domain.events.customers import CustomerDetailsChanged, CustomersMerged
from shared.domain.events.sales import CustomersAdded
from shared.domain.refusals.customers import CustomerMerged, CustomerNotFound, SameCustomer
from shared.eventstore.event import Event

DETAILS = ("name", "phone", "email", "address", "notes")
Private = Mapping[str, str | None]


@dataclass(frozen=True)
class Customer:
    """A customer as the log tells it.

    details: what was said, "" where nothing was, or was taken back; merged: the ids that mean this customer too;
    survivor: the id it goes on as, if it was merged itself; known: whether there is such a customer; version of its
    stream, position of the last event that says something of it.
    """

    customer_id: int
    known: bool = True
    survivor: int | None = None
    version: int = 0
    position: int = 0
    merged: Sequence[int] = ()
    details: Private = field(default_factory=lambda: MappingProxyType(dict.fromkeys(DETAILS, "")))


def evolve(customer: Customer, event: Event, private: Private) -> Customer:
    """Return the customer after one more event, whose sealed part opened to `private`."""
    match event:
        case CustomersAdded() | CustomerDetailsChanged():
            said = {name: value for name, value in private.items() if name in DETAILS and value is not None}
            return replace(customer, details={**customer.details, **said})
        case CustomersMerged():
            return replace(
                customer, merged=[*customer.merged, *(m for m in event.merged_ids if m not in customer.merged)]
            )
        case _:
            return customer


def insist_on(customer: Customer) -> None:
    """Raise CustomerNotFound for one that never was, CustomerMerged for one that goes on under another id."""
    if customer.survivor is not None:
        details = {"id": customer.customer_id, "customer_id": customer.survivor}
        raise CustomerMerged(details=details, survivor=customer.survivor)
    if not customer.known:
        raise CustomerNotFound(details={"id": customer.customer_id})


def changes(said: Private, customer: Customer) -> dict[str, str]:
    """Return which details change to what, "" for one that is taken back; raises as `insist_on` does."""
    insist_on(customer)
    wanted = {name: value or "" for name, value in said.items()}
    return {name: value for name, value in wanted.items() if value != customer.details[name]}


def merge(survivor: Customer, other: Customer) -> CustomersMerged:
    """Return that `other`, with all that were merged into it, is `survivor` from now on.

    Raises SameCustomer, or as `insist_on` does, for either; so there are no circles.
    """
    insist_on(survivor)
    if other.customer_id == survivor.customer_id:
        raise SameCustomer(details={"customer_id": other.customer_id})
    insist_on(other)
    return CustomersMerged(survivor.customer_id, [other.customer_id, *other.merged])


def inherited(survivor: Customer, other: Customer) -> dict[str, str]:
    """Return what is known of `other` only: it would be lost with the id."""
    known = {name: value for name, value in other.details.items() if value and name != "name"}
    return {name: value for name, value in known.items() if not survivor.details[name]}
