"""Command handlers of customers.

Personal data is sealed, and stored answers hold none of it: what a client is answered is read from the log.
"""

import base64
from collections.abc import Mapping, Sequence
from functools import partial

from shared.domain.contacts import name_key
from shared.domain.events.customers import CustomerDetailsChanged, CustomersMerged
from shared.domain.events.sales import CustomersAdded
from shared.eventstore.codec import decode
from shared.eventstore.command import CommandContext, Loaded, Result, Stream
from shared.eventstore.event import Event
from shared.eventstore.store import UnitOfWork
from shared.eventstore.vault import SubjectKeys
from write_side.customers.aggregate import (
    NOTHING,
    ChangeCustomer,
    Customer,
    LookupKey,
    MergeCustomers,
    Private,
    Seal,
    decide,
    evolve,
)
from write_side.lookups.customers import MERGED, customer_subject, find_customer, merged_key

# Select the events about a customer up to a position, in order: those of its stream, and of the events that add
# customers those whose JSON contains the beginning of this customer's line.
SELECT_EVENTS = """SELECT notification_id, originator_id, originator_version, topic, state FROM (
    SELECT * FROM log.events WHERE originator_id = %s
    UNION ALL SELECT * FROM log.events WHERE business_id = %s AND topic = 'sales.CustomersAdded'
        AND position(%s::bytea IN state) > 0) AS events
    WHERE notification_id <= %s ORDER BY notification_id"""
# Select the keys by which uploads find a customer.
SELECT_KEYS = "SELECT key FROM log.index_rows WHERE kind = 'customer' AND scope = %s AND value = %s AND value > 0"
_NEWEST = 2**62
_PREFIXES = {"name": "name:", "phone": "tel:"}


class CustomerStream(Stream[Customer]):
    """The stream of one customer, whose personal data is sealed under the stream's name."""

    def load(self, unit: UnitOfWork, upto: int = _NEWEST) -> Loaded[Customer]:
        """Return the customer, with its details as of the position `upto`."""
        (customer_id,) = self.ids
        name, found = self.name(unit.business_id), find_customer(unit, int(customer_id))
        customer = Customer(int(customer_id), found.known, found.survivor)
        keys, version, position = unit.vault.keys([name]), 0, 0
        line = f'[{customer_id},"'.encode()
        for row in unit.sql(SELECT_EVENTS, (name, unit.business_id, line, upto)):
            event = decode(row["topic"], bytes(row["state"]))
            customer = evolve(customer, event, _opened(event, int(customer_id), name, keys))
            version = row["originator_version"] if row["originator_id"] == name else version
            position = row["notification_id"]
        return Loaded(name, customer, version, position)


CUSTOMER = CustomerStream("customer", Customer(0), evolve)


def change_customer(ctx: CommandContext, customer_id: int, details: Private) -> Result[Customer]:
    """Change details of a customer; raises CustomerNotFound, CustomerMerged, CustomerTaken."""

    def change(customer: Customer, unit: UnitOfWork) -> Sequence[Event]:
        command = ChangeCustomer(details, _lookup_keys(unit, details))
        events = decide(command, customer, _sealing(unit, customer_id))
        for event in events:
            if isinstance(event, CustomerDetailsChanged):
                for key in event.keys:
                    unit.claim("customer", base64.b64decode(key), customer_id)
        return events

    return _with_details(ctx, customer_id, ctx.transact(CUSTOMER.of(customer_id), change, lambda _: None))


def merge_customers(ctx: CommandContext, survivor_id: int, other_id: int) -> Result[Customer]:
    """Merge a customer into the one that keeps its id, `survivor_id`; returns that one.

    Raises CustomerNotFound, CustomerMerged if either was merged before, SameCustomer.
    """

    def merge(survivor: Customer, unit: UnitOfWork) -> Sequence[Event]:
        other = CUSTOMER.of(other_id).load(unit).state
        events = decide(MergeCustomers(other), survivor, _sealing(unit, survivor_id))
        for event in events:
            if isinstance(event, CustomersMerged):
                _redirect(unit, event, other_id)
        return events

    return _with_details(ctx, survivor_id, ctx.transact(CUSTOMER.of(survivor_id), merge, lambda _: None))


def _with_details(ctx: CommandContext, customer_id: int, result: Result[None]) -> Result[Customer]:
    """Return the result with the customer as of its position, so that a repeated command gets the same answer."""
    upto = result.position or _NEWEST
    return result.map(lambda _: ctx.query(lambda unit: CUSTOMER.of(customer_id).load(unit, upto).state))


def _opened(event: Event, customer_id: int, subject: str, keys: SubjectKeys) -> Private:
    sealed = [c.sealed for c in event.customers if c.id == customer_id] if isinstance(event, CustomersAdded) else []
    if isinstance(event, CustomerDetailsChanged):
        sealed = [event.sealed]
    return (keys.open(subject, sealed[0]) or NOTHING) if sealed else NOTHING


def _sealing(unit: UnitOfWork, customer_id: int) -> Seal:
    return partial(unit.vault.seal, customer_subject(unit.business_id, customer_id))


def _lookup_keys(unit: UnitOfWork, details: Private) -> Mapping[str, LookupKey]:
    """Return by which keys uploads find a customer with these details, and which customer each finds now."""
    keys = {}
    for name, prefix in _PREFIXES.items():
        if value := details.get(name):
            compared = name_key(value) if name == "name" else value
            keys[name] = unit.vault.lookup_key("customer", unit.business_id, prefix + compared)
    owners = unit.find("customer", list(keys.values()))
    return {name: LookupKey(base64.b64encode(key).decode(), owners.get(key)) for name, key in keys.items()}


def _redirect(unit: UnitOfWork, event: CustomersMerged, other_id: int) -> None:
    """Redirect to the survivor the keys by which uploads find the merged customer, and the merged ids."""
    survivor = event.customer_id
    for row in unit.sql(SELECT_KEYS, (unit.business_id, other_id)):
        unit.release("customer", bytes(row["key"]))
        unit.claim("customer", bytes(row["key"]), survivor)
    for merged in event.merged_ids:
        unit.release(MERGED, merged_key(merged))
        unit.claim(MERGED, merged_key(merged), survivor)
