"""What becomes known of customers after they were met first (`sales.CustomersAdded`)."""

from typing import ClassVar

from shared.eventstore.event import About, AuditAction, Dated, Event


class CustomerDetailsChanged(Event, frozen=True):
    """The owner changed what is known of a customer.

    `sealed` opens under `customer-{business}-{id}` to those of `{name, phone, email, address, notes}` that changed; ""
    means cleared. `keys` are the lookup keys by which ledgers find the customer from now on, besides those before.
    """

    topic: ClassVar[str] = "customers.CustomerDetailsChanged"
    audit: ClassVar[AuditAction | None] = AuditAction("customer_change", "customer", "customer_id")
    books: ClassVar[Dated | About | None] = About("customer_id")
    customer_id: int
    sealed: str
    keys: list[str] = []


class CustomersMerged(Event, frozen=True):
    """Customers turned out to be one person, who goes on as `customer_id`.

    `merged_ids` are all ids that mean this person from now on: the one merged, and those merged into it before.
    """

    topic: ClassVar[str] = "customers.CustomersMerged"
    audit: ClassVar[AuditAction | None] = AuditAction("customer_merge", "customer", "customer_id")
    books: ClassVar[Dated | About | None] = About("customer_id", same="merged_ids")
    customer_id: int
    merged_ids: list[int]


class CustomerDataErased(Event, frozen=True):
    """A customer's personal data is gone for good: the keys of these ids were destroyed in the same transaction.

    `merged_ids` are the ids that mean this person besides. `keys` are the lookup keys by which ledgers found the person
    before; `key`, made of the id alone, replaces them. Sales and debts stay under the id.
    """

    topic: ClassVar[str] = "customers.CustomerDataErased"
    audit: ClassVar[AuditAction | None] = AuditAction("customer_erase", "customer", "customer_id")
    books: ClassVar[Dated | About | None] = About("customer_id", same="merged_ids")
    customer_id: int
    merged_ids: list[int]
    keys: list[str]
    key: str
