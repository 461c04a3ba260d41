"""Customers of the unit's business by public id, as several domains look them up in the write-side index."""

from typing import NamedTuple

from shared.eventstore.store import UnitOfWork

MERGED = "customer_merged"

# Select whether a business has a customer of this id, and the id of the customer it was merged into.
SELECT_CUSTOMER = """SELECT
    EXISTS (SELECT FROM log.index_rows WHERE kind = 'customer' AND scope = %s AND value = %s AND value > 0) AS known,
    (SELECT value FROM log.index_rows WHERE kind = 'customer_merged' AND scope = %s AND key = %s) AS survivor"""


class FoundCustomer(NamedTuple):
    """`known`: the business has this customer now; `survivor`: the id of the customer it was merged into, if any."""

    known: bool
    survivor: int | None

    @property
    def existed(self) -> bool:
        """Return whether there is or was a customer of this id."""
        return self.known or self.survivor is not None


def find_customer(unit: UnitOfWork, customer_id: int) -> FoundCustomer:
    """Return what the index knows of a customer id."""
    scope = unit.business_id or 0
    (row,) = unit.sql(SELECT_CUSTOMER, (scope, customer_id, scope, merged_key(customer_id)))
    return FoundCustomer(row["known"], row["survivor"])


def merged_key(customer_id: int) -> bytes:
    """Return the index key of a merged customer; its value is the surviving id."""
    return customer_id.to_bytes(8, "big")


def customer_subject(business_id: int | None, customer_id: int) -> str:
    """Return the subject under which a customer's data is sealed, which is also the name of the customer's stream."""
    return f"customer-{business_id}-{customer_id}"
