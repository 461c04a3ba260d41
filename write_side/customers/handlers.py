"""Customers in the log: read, decided on and added to under the shop's lock.

Personal data is sealed and stays out of the stored answers of commands: an answer is read from the log again.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, LiteralString

from shared.domain.events.customers import CustomerDetailsChanged, CustomersMerged
from shared.domain.events.sales import CustomersAdded
from shared.domain.refusals.customers import CustomerTaken
from shared.eventstore.codec import decode
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.eventstore.vault import SubjectKeys, Vault
from write_side.customers import aggregate
from write_side.customers.aggregate import Customer
from write_side.sales.catalog import customer_subject
from write_side.sales.csv.values import name_key

MERGED = "customer_merged"
# Returns whether a business has a customer of this id, and the id it goes on as if it was merged.
SELECT_KNOWN = """SELECT
    EXISTS (SELECT FROM log.index_rows WHERE kind = 'customer' AND scope = %s AND value = %s AND value > 0) AS known,
    (SELECT value FROM log.index_rows WHERE kind = 'customer_merged' AND scope = %s AND key = %s) AS survivor"""
# Returns what the log tells of a customer until a position, in order; of the events that add customers those that hold
# the beginning of this one's line.
SELECT_TOLD = """SELECT notification_id, originator_id, originator_version, topic, state FROM (
    SELECT * FROM log.events WHERE originator_id = %s
    UNION ALL SELECT * FROM log.events WHERE business_id = %s AND topic = 'sales.CustomersAdded'
        AND position(%s::bytea IN state) > 0) AS told
    WHERE notification_id <= %s ORDER BY notification_id"""
# Returns the keys by which ledgers find a customer.
SELECT_KEYS = "SELECT key FROM log.index_rows WHERE kind = 'customer' AND scope = %s AND value = %s AND value > 0"
_NEWEST = 2**62
_PREFIXES = {"name": "name:", "phone": "tel:"}

Sql = Callable[..., list[dict[str, Any]]]


@dataclass(frozen=True)
class People:
    """The customers of one shop, for one command; `request_hash` tells a repeated command from a reused key."""

    store: EventStore
    business_id: int
    meta: Metadata
    request_hash: bytes | None

    def change(self, customer_id: int, said: aggregate.Private) -> Customer:
        """Change what is known of a customer; raises CustomerNotFound, CustomerMerged, CustomerTaken."""

        def decide(unit: UnitOfWork) -> None:
            customer = self._customer(unit.sql, customer_id)
            if changed := aggregate.changes(said, customer):
                self._tell(unit, customer, changed, self._claimed(unit, customer_id, changed))

        return self._execute(customer_id, decide)

    def merge(self, survivor_id: int, other_id: int) -> Customer:
        """Let two customers be one, who goes on as `survivor_id`; returns that one.

        Raises CustomerNotFound, CustomerMerged if either was merged already, SameCustomer.
        """

        def decide(unit: UnitOfWork) -> None:
            survivor, other = self._customer(unit.sql, survivor_id), self._customer(unit.sql, other_id)
            event = aggregate.merge(survivor, other)
            unit.append(self._subject(survivor_id), survivor.version, event)
            self._point_to(unit, event, other)
            if lost := aggregate.inherited(survivor, other):
                self._tell(unit, replace(survivor, version=survivor.version + 1), lost, [])

        return self._execute(survivor_id, decide)

    def _execute(self, customer_id: int, decide: Callable[[UnitOfWork], None]) -> Customer:
        outcome = self.store.execute(self.business_id, self.meta, decide, request_hash=self.request_hash)
        with self.store.cursor() as cursor:

            def sql(query: LiteralString, params: Any = ()) -> list[dict[str, Any]]:  # noqa: ANN401 - parameters
                return cursor.execute(query, params).fetchall()

            return self._customer(sql, customer_id, outcome.position or _NEWEST)

    def _customer(self, sql: Sql, customer_id: int, upto: int = _NEWEST) -> Customer:
        subject = self._subject(customer_id)
        (found,) = sql(SELECT_KNOWN, (self.business_id, customer_id, self.business_id, merged_key(customer_id)))
        customer = Customer(customer_id, found["known"], found["survivor"])
        keys = Vault(self.store.master, sql).keys([subject])
        line = f'[{customer_id},"'.encode()
        for row in sql(SELECT_TOLD, (subject, self.business_id, line, upto)):
            event = decode(row["topic"], bytes(row["state"]))
            customer = aggregate.evolve(customer, event, self._opened(event, customer_id, keys))
            own = row["originator_id"] == subject
            version = row["originator_version"] if own else customer.version
            customer = replace(customer, version=version, position=row["notification_id"])
        return customer

    def _opened(self, event: Event, customer_id: int, keys: SubjectKeys) -> Mapping[str, str | None]:
        sealed = [c.sealed for c in event.customers if c.id == customer_id] if isinstance(event, CustomersAdded) else []
        if isinstance(event, CustomerDetailsChanged):
            sealed = [event.sealed]
        return {} if not sealed else keys.open(self._subject(customer_id), sealed[0]) or {}

    def _tell(self, unit: UnitOfWork, customer: Customer, changed: Mapping[str, str], keys: list[str]) -> None:
        subject = self._subject(customer.customer_id)
        event = CustomerDetailsChanged(customer.customer_id, unit.vault.seal(subject, changed), keys)
        unit.append(subject, customer.version, event)

    def _claimed(self, unit: UnitOfWork, customer_id: int, changed: Mapping[str, str]) -> list[str]:
        """Claim what ledgers shall find the customer by; what they found it by stays. Raises CustomerTaken."""
        claimed = []
        for name, prefix in _PREFIXES.items():
            if not changed.get(name):
                continue
            told = name_key(changed[name]) if name == "name" else changed[name]
            key = unit.vault.lookup_key("customer", self.business_id, prefix + told)
            owner = unit.find("customer", [key]).get(key)
            if owner is None:
                unit.claim("customer", key, customer_id)
                claimed.append(base64.b64encode(key).decode())
            elif owner != customer_id:
                raise CustomerTaken(details={"field": name, "customer_id": owner})
        return claimed

    def _point_to(self, unit: UnitOfWork, event: CustomersMerged, other: Customer) -> None:
        """Let ledgers find the survivor by what they found the merged by, and commands by the merged ids."""
        survivor = event.customer_id
        for row in unit.sql(SELECT_KEYS, (self.business_id, other.customer_id)):
            unit.release("customer", bytes(row["key"]))
            unit.claim("customer", bytes(row["key"]), survivor)
        for merged in event.merged_ids:
            unit.release(MERGED, merged_key(merged))
            unit.claim(MERGED, merged_key(merged), survivor)

    def _subject(self, customer_id: int) -> str:
        return customer_subject(self.business_id, customer_id)


def merged_key(customer_id: int) -> bytes:
    """Return the key under which it is found where a merged customer went."""
    return customer_id.to_bytes(8, "big")
