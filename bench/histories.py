"""Logs as imports of ledgers would have left them, appended without reading any file."""

import base64
import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from bench.ledgers import Line
from shared.domain.events.sales import (
    CustomersAdded,
    NewCustomer,
    NewProduct,
    ProductsAdded,
    Sale,
    SalesBatchRecorded,
    UploadCompleted,
)
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata, UnitOfWork

_BATCH_ROWS = 500
_BATCHES_PER_COMMAND = 20
_NAMES_PER_EVENT = 500
_FINGERPRINT_SIZE = 12


@dataclass(frozen=True)
class History:
    """What happened in a shop: its products, its customers' names by id - 1, its sales in batches."""

    products: Sequence[NewProduct]
    customers: Sequence[str]
    batches: Sequence[SalesBatchRecorded]
    rows: int


def history_of(lines: Iterable[Line]) -> History:
    """Return the history of a shop whose ledger has these lines; ids count from 1 in the order of the ledger."""
    products: dict[str, NewProduct] = {}
    customers: dict[str, int] = {}
    batches: list[SalesBatchRecorded] = []
    sales: list[Sale] = []
    payments: dict[tuple[str, str | None], int] = {}
    row = 0
    for row, line in enumerate(lines, 1):
        product = products.get(line.product)
        if product is None:
            price = line.paisa // line.quantity
            product = products[line.product] = NewProduct(len(products) + 1, line.product, line.product, price)
        customer = customers.setdefault(line.customer, len(customers) + 1) if line.customer else None
        payment = payments.setdefault((line.payment, None), len(payments)) if line.payment else None
        quantity = line.quantity * 1000
        sales.append(Sale(row + 1, row, line.date, None, product.id, customer, quantity, line.paisa, payment))
        if len(sales) == _BATCH_ROWS:
            batches.append(_batch(sales, payments))
            sales, payments = [], {}
    if sales:
        batches.append(_batch(sales, payments))
    return History(list(products.values()), list(customers), batches, row)


def record(store: EventStore, business_id: int, history: History, *, whole: bool = True) -> None:
    """Append the history as that of one upload of the business; one that is not `whole` is still being read."""
    file_id = str(uuid.uuid4())
    stream = f"upload-{file_id}"
    version = 0
    for start in range(0, len(history.products), _NAMES_PER_EVENT):
        added = ProductsAdded(list(history.products[start : start + _NAMES_PER_EVENT]))
        version = _append(store, business_id, stream, version, [added])
    for start in range(0, len(history.customers), _NAMES_PER_EVENT):
        names = history.customers[start : start + _NAMES_PER_EVENT]
        version = _append_customers(store, business_id, stream, version, list(enumerate(names, start + 1)))
    for start in range(0, len(history.batches), _BATCHES_PER_COMMAND):
        batches = history.batches[start : start + _BATCHES_PER_COMMAND]
        own = [msgspec.structs.replace(batch, file_id=file_id) for batch in batches]
        version = _append(store, business_id, stream, version, own)
    if whole:
        _append(store, business_id, stream, version, [UploadCompleted(file_id, history.rows, history.rows, 0, 0)])


def _batch(sales: list[Sale], payments: dict[tuple[str, str | None], int]) -> SalesBatchRecorded:
    chance = random.Random(sales[0].row)  # noqa: S311 - as long and as incompressible as fingerprints are
    return SalesBatchRecorded(
        file_id="",
        sales=sales,
        payments=list(payments),
        fingerprints=base64.b64encode(chance.randbytes(_FINGERPRINT_SIZE * len(sales))).decode(),
        duplicates=0,
        rejected=0,
        through_row=sales[-1].row,
    )


def _append(store: EventStore, business_id: int, stream: str, version: int, events: Sequence[Event]) -> int:
    store.execute(business_id, Metadata(actor="bench"), lambda unit: unit.append(stream, version, *events))
    return version + len(events)


def _append_customers(
    store: EventStore, business_id: int, stream: str, version: int, named: Sequence[tuple[int, str]]
) -> int:
    subjects = {number: f"customer-{business_id}-{number}" for number, _ in named}

    def decide(unit: UnitOfWork) -> None:
        keys = unit.vault.keys(subjects.values(), create=True)
        sealed = (keys.seal(subjects[number], {"name": name, "phone": None}) for number, name in named)
        added = [NewCustomer(number, name, text) for (number, name), text in zip(named, sealed, strict=True)]
        unit.append(stream, version, CustomersAdded(added))

    store.execute(business_id, Metadata(actor="bench"), decide)
    return version + 1
