"""Aggregate of a single sale: recorded by its owner or by an upload, voided once.

`decide` takes the command and the state, None for an unknown sale; it returns the events or raises a refusal.
"""

import base64
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.domain.events.sales import SaleRecorded, SaleVoided
from shared.domain.refusals.sales import AlreadyVoided
from shared.errors import NotFound
from shared.eventstore.event import Event
from write_side.sales.csv.rows import LedgerRow


@dataclass(frozen=True)
class RecordedSale:
    """A sale, recorded by hand or by an upload, and its void; `version` is that of its own stream."""

    tx: int
    date: dt.date
    time: int | None
    product_id: int
    customer_id: int | None
    qty: int
    paisa: int
    payment: str | None
    received: int | None = None
    source: str = "csv"
    version: int = 0
    void: SaleVoided | None = None
    voided_at: dt.datetime | None = None

    def after(self, void: SaleVoided, at: dt.datetime) -> "RecordedSale":
        """Return the sale after its void."""
        return replace(self, void=void, voided_at=at)


@dataclass(frozen=True)
class RecordSale:
    """A sale in the form of an upload's row, with the ids of product and customer; `added` introduces new ones."""

    tx: int
    row: LedgerRow
    product_id: int
    customer_id: int | None
    added: Sequence[Event] = ()


@dataclass(frozen=True)
class VoidSale:
    """A sale was recorded by mistake."""

    tx: int
    reason: str


Command = RecordSale | VoidSale


def decide(command: Command, sale: RecordedSale | None) -> Sequence[Event]:
    """Return the events of a command; raises NotFound, AlreadyVoided."""
    match command:
        case RecordSale():
            return [*command.added, _recorded(command)]
        case VoidSale():
            return [_voided(command, sale)]


def _recorded(command: RecordSale) -> SaleRecorded:
    row = command.row
    return SaleRecorded(
        command.tx,
        row.date,
        row.time,
        command.product_id,
        command.customer_id,
        row.quantity,
        row.paisa,
        None if row.payment is None else (row.payment, row.payment_raw),
        base64.b64encode(row.fingerprint).decode(),
    )


def _voided(command: VoidSale, sale: RecordedSale | None) -> SaleVoided:
    if sale is None:
        raise NotFound(details={"id": command.tx})
    if sale.void:
        raise AlreadyVoided(details={"id": sale.tx, "reason": sale.void.reason, "voided_at": sale.voided_at})
    return SaleVoided(
        sale.tx,
        command.reason,
        sale.date,
        sale.time,
        sale.product_id,
        sale.customer_id,
        sale.qty,
        sale.paisa,
        sale.payment,
        sale.received,
    )
