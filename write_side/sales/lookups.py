"""Looks up in the log a single sale, product or customer of the unit's business."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import LiteralString, cast

from shared.domain.contacts import name_key
from shared.domain.events.customers import CustomerDetailsChanged, CustomersMerged
from shared.domain.events.inventory import ProductDetailsChanged, StockMoved
from shared.domain.events.sales import CustomersAdded, ProductsAdded, Sale, SaleRecorded, SalesBatchRecorded, SaleVoided
from shared.eventstore.codec import decode
from shared.eventstore.event import Event
from shared.eventstore.store import UnitOfWork
from write_side.lookups.customers import MERGED, customer_subject, merged_key
from write_side.lookups.products import product_stream
from write_side.sales.aggregate import former_key, sale_index_key, stream_of
from write_side.sales.csv.people import KnownPerson
from write_side.sales.csv.rows import Item, LedgerRow
from write_side.sales.sale_aggregate import RecordedSale

# Return the event of a kind whose ids begin with the greatest one up to an id; if any event has that id, it is this.
SELECT_BATCH = """SELECT topic, state FROM log.events WHERE business_id = %s AND topic = 'sales.SalesBatchRecorded'
    AND log.first_id(state) <= %s ORDER BY log.first_id(state) DESC LIMIT 1"""
# Returns a row if the undo of an upload was requested.
SELECT_UNDO = "SELECT 1 FROM log.events WHERE originator_id = %s AND topic = 'uploads.UploadUndoRequested' LIMIT 1"
SELECT_PRODUCTS = """SELECT topic, state FROM log.events WHERE business_id = %s AND topic = 'sales.ProductsAdded'
    AND log.first_id(state) <= %s ORDER BY log.first_id(state) DESC LIMIT 1"""
SELECT_CUSTOMERS = """SELECT topic, state FROM log.events WHERE business_id = %s AND topic = 'sales.CustomersAdded'
    AND log.first_id(state) <= %s ORDER BY log.first_id(state) DESC LIMIT 1"""

# Returns those of some days on which the business counted stock before the end of the day.
SELECT_COUNTED = """SELECT DISTINCT data ->> 'date' AS day FROM log.history WHERE business_id = %s AND topic = %s
    AND data ->> 'kind' = 'count' AND (data ->> 'time')::int < %s AND data ->> 'date' = ANY(%s) ORDER BY day"""
# Selects what was said of customers: the events that added any, and those of some customers' streams.
SELECT_SAID = """SELECT topic, state, originator_id FROM log.events
    WHERE business_id = %s AND topic = 'sales.CustomersAdded' AND log.first_id(state) <= %s
    UNION ALL SELECT topic, state, originator_id FROM log.events WHERE originator_id = ANY(%s)"""
_LAST_SECOND = 86_399
# Returns a row if the business has recorded a sale.
SELECT_ANY_SALE = "SELECT 1 AS found FROM log.index_rows WHERE kind = 'sale' AND scope = %s LIMIT 1"


def sale_stream(business_id: int | None, tx: int) -> str:
    """Return the stream of a sale."""
    return f"sale-{business_id}-{tx}"


def find_sale(unit: UnitOfWork, tx: int) -> RecordedSale | None:
    """Return a sale, None if the business has none of this id.

    Returns, purchases and expenses are no sales, nor are those that are taken back with their upload.
    """
    history = unit.load(sale_stream(unit.business_id, tx))
    by_hand = next((e for r in history if isinstance(e := r.event, SaleRecorded)), None)
    voided = any(isinstance(r.event, SaleVoided) for r in history)
    sale = _by_hand(by_hand) if by_hand else _in_a_ledger(unit, tx, undone=voided)
    for recorded in history:
        event = recorded.event
        if sale and isinstance(event, SaleVoided):
            sale = sale.after(event, recorded.recorded_at.replace(microsecond=0))
    return sale and replace(sale, version=history[-1].version if history else 0)


def product_name(unit: UnitOfWork, product_id: int) -> str | None:
    """Return what a product is called, None if the business has none of this id."""
    event = cast("ProductsAdded | None", _event(unit, SELECT_PRODUCTS, product_id))
    return next((p.name for p in event.products if p.id == product_id), None) if event else None


def product_unit(unit: UnitOfWork, product_id: int) -> str:
    """Return the unit in which a product is sold as the owner set it last, "" if nobody did."""
    said = ""
    for recorded in unit.load(product_stream(unit.business_id, product_id)):
        event = recorded.event
        if isinstance(event, ProductDetailsChanged):
            said = "" if "unit" in event.cleared else event.unit or said
    return said


def remaining_customer(unit: UnitOfWork, customer_id: int) -> tuple[int, str | None]:
    """Return id and name of a customer, of a merged one those of the remaining one; the name is None without one."""
    remaining = next(iter(unit.find(MERGED, [merged_key(customer_id)]).values()), customer_id)
    return remaining, _own_name(unit, remaining) or _own_name(unit, customer_id)


def known_phones(unit: UnitOfWork, numbers: Iterable[str]) -> dict[str, KnownPerson]:
    """Return the customers who are known by phone numbers, with the keys of all their names."""
    keys = {number: unit.vault.lookup_key("customer", unit.business_id, f"tel:{number}") for number in numbers}
    found = unit.find("customer", list(keys.values()))
    owners = {number: found[key] for number, key in keys.items() if key in found}
    if not owners:
        return {}
    merged = _merged_into(unit, set(owners.values()))
    names = _names(unit, [*owners.values(), *(number for numbers in merged.values() for number in numbers)])
    return {
        number: KnownPerson(owner, frozenset().union(*(names.get(n, set()) for n in (owner, *merged.get(owner, ())))))
        for number, owner in owners.items()
    }


def _merged_into(unit: UnitOfWork, survivors: set[int]) -> dict[int, set[int]]:
    merged: dict[int, set[int]] = {}
    for row in unit.sql(SELECT_SAID, (unit.business_id, 0, [customer_subject(unit.business_id, n) for n in survivors])):
        event = decode(row["topic"], bytes(row["state"]))
        if isinstance(event, CustomersMerged):
            merged.setdefault(event.customer_id, set()).update(event.merged_ids)
    return merged


def _names(unit: UnitOfWork, customers: Sequence[int]) -> dict[int, set[str]]:
    """Return the keys of all names that customers were ever called by."""
    subjects = {number: customer_subject(unit.business_id, number) for number in customers}
    keys = unit.vault.keys(subjects.values())
    names: dict[int, set[str]] = {}
    for row in unit.sql(SELECT_SAID, (unit.business_id, max(customers), list(subjects.values()))):
        event = decode(row["topic"], bytes(row["state"]))
        said: list[tuple[int, str]] = []
        if isinstance(event, CustomersAdded):
            said = [(customer.id, customer.sealed) for customer in event.customers if customer.id in subjects]
        elif isinstance(event, CustomerDetailsChanged):
            said = [(event.customer_id, event.sealed)]
        for number, sealed in said:
            if name := (keys.open(subjects[number], sealed) or {}).get("name"):
                names.setdefault(number, set()).add(name_key(name))
    return names


def _own_name(unit: UnitOfWork, customer_id: int) -> str | None:
    subject = customer_subject(unit.business_id, customer_id)
    keys = unit.vault.keys([subject])
    event = cast("CustomersAdded | None", _event(unit, SELECT_CUSTOMERS, customer_id))
    sealed = [c.sealed for c in event.customers if c.id == customer_id] if event else []
    changes = (recorded.event for recorded in unit.load(subject))
    sealed += [change.sealed for change in changes if isinstance(change, CustomerDetailsChanged)]
    names = [(keys.open(subject, text) or {}).get("name") for text in sealed]
    return next((str(name) for name in reversed(names) if name), None)


def _event(unit: UnitOfWork, query: LiteralString, public_id: int) -> Event | None:
    rows = unit.sql(query, (unit.business_id, public_id))
    return decode(rows[0]["topic"], bytes(rows[0]["state"])) if rows else None


def _by_hand(event: SaleRecorded) -> RecordedSale:
    return RecordedSale(
        event.tx,
        event.date,
        event.time,
        event.product_id,
        event.customer_id,
        event.qty,
        event.paisa,
        event.payment and event.payment[0],
        source="manual",
    )


def _in_a_ledger(unit: UnitOfWork, tx: int, *, undone: bool) -> RecordedSale | None:
    """Return a sale of an upload; `undone`: also of one that is undone, where voided sales stay."""
    batch = cast("SalesBatchRecorded | None", _event(unit, SELECT_BATCH, tx))
    sale: Sale | None = next((sale for sale in batch.sales if sale.tx == tx), None) if batch else None
    if not batch or not sale or (not undone and unit.sql(SELECT_UNDO, (stream_of(batch.file_id),))):
        return None
    method = None if sale.payment is None else batch.payments[sale.payment][0]
    received = next((paisa for part, paisa in batch.part_payments if part == tx), None)
    return RecordedSale(
        sale.tx, sale.date, sale.time, sale.product_id, sale.customer_id, sale.qty, sale.paisa, method, received
    )


def taken_keys(unit: UnitOfWork, items: Sequence[Item]) -> set[bytes]:
    """Return the keys of the rows that the shop has recorded before, be it by the rule of an earlier release."""
    rows = [item for item in items if isinstance(item, LedgerRow)]
    keys = {sale_index_key(row.date, row.fingerprint): former_key(row) for row in rows}
    found = unit.find("sale", [*keys, *(former for former in keys.values() if former)])
    return {key for key, former in keys.items() if key in found or former in found}


def days_with_counts(unit: UnitOfWork, days: Sequence[dt.date]) -> list[str]:
    """Return those of the days on which stock was counted, other than at their end."""
    if not days:
        return []
    found = unit.sql(
        SELECT_COUNTED, (unit.business_id, StockMoved.topic, _LAST_SECOND, [day.isoformat() for day in days])
    )
    return [row["day"] for row in found]


def has_sales(unit: UnitOfWork) -> bool:
    """Return whether the shop has recorded a row of a ledger, or a sale by hand."""
    return bool(unit.sql(SELECT_ANY_SALE, (unit.business_id,)))
