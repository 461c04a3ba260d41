"""Index rows of sales: products, customers, fingerprints of rows, voids, product sheets."""

import base64
from collections.abc import Iterator, Sequence

from shared.domain.events.inventory import ProductSheetRecorded, ProductSheetUndone
from shared.domain.events.sales import (
    CustomersAdded,
    Movement,
    MovementsRecorded,
    ProductsAdded,
    Sale,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
)
from shared.domain.events.uploads import CustomersRemoved, MovementsUndone, ProductsRemoved, SalesBatchUndone
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.index_rows import DomainIndex, IndexRow
from write_side.sales.aggregate import product_index_key, sale_index_key, sheet_index_key, void_index_key
from write_side.sales.csv.rows import FINGERPRINT_SIZE


def _of_products(recorded: RecordedEvent, event: ProductsAdded) -> Iterator[IndexRow]:
    for product in event.products:
        yield IndexRow("product", recorded.business_id or 0, product_index_key(product.key), product.id)


def _of_customers(recorded: RecordedEvent, event: CustomersAdded) -> Iterator[IndexRow]:
    for customer in event.customers:
        yield IndexRow("customer", recorded.business_id or 0, base64.b64decode(customer.key), customer.id)


def _of_sales(recorded: RecordedEvent, event: SalesBatchRecorded) -> Iterator[IndexRow]:
    yield from _of_rows(recorded.business_id or 0, event.sales, event.fingerprints)


def _of_movements(recorded: RecordedEvent, event: MovementsRecorded) -> Iterator[IndexRow]:
    yield from _of_rows(recorded.business_id or 0, event.movements, event.fingerprints)


def _of_undone_sales(recorded: RecordedEvent, event: SalesBatchUndone) -> Iterator[IndexRow]:
    return _released(_of_rows(recorded.business_id or 0, event.sales, event.fingerprints))


def _of_undone_movements(recorded: RecordedEvent, event: MovementsUndone) -> Iterator[IndexRow]:
    return _released(_of_rows(recorded.business_id or 0, event.movements, event.fingerprints))


def _of_undone_sheet(recorded: RecordedEvent, event: ProductSheetUndone) -> Iterator[IndexRow]:
    yield IndexRow("sheet", recorded.business_id or 0, sheet_index_key(event.lines), len(event.lines), held=False)


def _of_removed_products(recorded: RecordedEvent, event: ProductsRemoved) -> Iterator[IndexRow]:
    for product in event.products:
        yield IndexRow("product", recorded.business_id or 0, product_index_key(product.key), product.id, held=False)


def _of_removed_customers(recorded: RecordedEvent, event: CustomersRemoved) -> Iterator[IndexRow]:
    for customer in event.customers:
        yield IndexRow("customer", recorded.business_id or 0, base64.b64decode(customer.key), customer.id, held=False)


def _released(rows: Iterator[IndexRow]) -> Iterator[IndexRow]:
    return (row._replace(held=False) for row in rows)


def _of_rows(business_id: int, rows: Sequence[Sale | Movement], fingerprints: str) -> Iterator[IndexRow]:
    prints = base64.b64decode(fingerprints)
    for i, row in enumerate(rows):
        key = sale_index_key(row.date, prints[FINGERPRINT_SIZE * i : FINGERPRINT_SIZE * (i + 1)])
        yield IndexRow("sale", business_id, key, row.tx)


def _of_sale(recorded: RecordedEvent, event: SaleRecorded) -> Iterator[IndexRow]:
    key = sale_index_key(event.date, base64.b64decode(event.fingerprint))
    yield IndexRow("sale", recorded.business_id or 0, key, event.tx)


def _of_void(recorded: RecordedEvent, event: SaleVoided) -> Iterator[IndexRow]:
    yield IndexRow("void", recorded.business_id or 0, void_index_key(event.tx), event.tx)


def _of_sheet(recorded: RecordedEvent, event: ProductSheetRecorded) -> Iterator[IndexRow]:
    yield IndexRow("sheet", recorded.business_id or 0, sheet_index_key(event.lines), len(event.lines))


INDEX = DomainIndex(
    rows={
        ProductsAdded: _of_products,
        CustomersAdded: _of_customers,
        SalesBatchRecorded: _of_sales,
        MovementsRecorded: _of_movements,
        SaleRecorded: _of_sale,
        SaleVoided: _of_void,
        ProductSheetRecorded: _of_sheet,
        SalesBatchUndone: _of_undone_sales,
        MovementsUndone: _of_undone_movements,
        ProductSheetUndone: _of_undone_sheet,
        ProductsRemoved: _of_removed_products,
        CustomersRemoved: _of_removed_customers,
    },
    counters={"product": "product", "customer": "customer", "sale": "transaction"},
    uncounted=("void", "sheet"),
)
