"""Command handler that erases a customer's personal data: the keys are destroyed in the transaction of the event."""

import base64
import uuid
from collections.abc import Sequence
from typing import Any

from shared.eventstore.command import CommandContext, Result
from shared.eventstore.files import Files
from shared.eventstore.store import UnitOfWork
from write_side.customers.aggregate import Customer, EraseCustomer, decide
from write_side.customers.handlers import CUSTOMER, SELECT_KEYS
from write_side.lookups.customers import customer_subject
from write_side.lookups.ledgers import delete_ledgers, ledgers_naming

# End the replays of a business, which show customers as they were.
EXPIRE_REPLAYS = "SELECT projections.expire_replays(%s)"


def erase_customer(ctx: CommandContext, files: Files, customer_id: int) -> Result[dict[str, Any]]:
    """Erase a customer's personal data, and the files of ledgers that may name the person; again changes nothing.

    Answers with the ids of the deleted files, and of ledgers that are still read or wait for answers. Raises
    CustomerNotFound, CustomerMerged.
    """
    last_read = 0

    def erase(unit: UnitOfWork) -> dict[str, Any]:
        nonlocal last_read
        loaded = CUSTOMER.of(customer_id).load(unit)
        customer, last_read = loaded.state, loaded.position
        keys = [bytes(row["key"]) for row in unit.sql(SELECT_KEYS, (unit.business_id, customer_id))]
        replacement = unit.vault.lookup_key("customer", unit.business_id, f"erased:{customer_id}")
        command = EraseCustomer(
            [base64.b64encode(key).decode() for key in keys], base64.b64encode(replacement).decode()
        )
        events = decide(command, customer, lambda _: "")
        ledgers = ledgers_naming(unit, [customer_id, *customer.merged])
        deleted = ledgers.read if events else []
        if events:
            _forget(unit, customer, keys, replacement)
            delete_ledgers(unit, deleted)
        CUSTOMER.append(unit, loaded, events)
        return {"id": customer_id, "deleted_files": list(deleted), "open_files": list(ledgers.open)}

    result = ctx.execute(erase)
    for file_id in result.data["deleted_files"]:
        files.delete(ctx.business_id or 0, uuid.UUID(file_id))
    return result if result.changed else result._replace(position=last_read)


def _forget(unit: UnitOfWork, customer: Customer, keys: Sequence[bytes], replacement: bytes) -> None:
    """Destroy the keys of the person's data, and what finds or shows the person beside the read models."""
    subjects = [customer_subject(unit.business_id, number) for number in (customer.customer_id, *customer.merged)]
    unit.vault.destroy(subjects)
    for key in keys:
        unit.release("customer", key)
    unit.claim("customer", replacement, customer.customer_id)
    unit.sql(EXPIRE_REPLAYS, (unit.business_id,))
