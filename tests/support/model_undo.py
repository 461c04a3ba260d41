"""A history as if what was undone had never been: of rows, not of sums."""

from collections.abc import Iterator, Sequence

import msgspec

from shared.domain.events.inventory import ProductSheetRecorded, ProductSheetUndone
from shared.domain.events.sales import CustomersAdded, MovementsRecorded, ProductsAdded, SalesBatchRecorded
from shared.domain.events.uploads import CustomersRemoved, MovementsUndone, ProductsRemoved, SalesBatchUndone
from shared.eventstore.codec import RecordedEvent, encode
from shared.eventstore.event import Event

Gone = set[tuple[str, int | None, int]]


def remaining(history: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Return the events without sales, movements, sheets, products and customers that later events took back."""
    gone = set(_gone(history))
    return [recorded._replace(state=encode(_without(recorded, recorded.event, gone))) for recorded in history]


def _gone(history: Sequence[RecordedEvent]) -> Iterator[tuple[str, int | None, int]]:
    for recorded in history:
        business = recorded.business_id
        match recorded.event:
            case SalesBatchUndone(sales=sales):
                yield from (("row", business, sale.tx) for sale in sales)
            case MovementsUndone(movements=movements):
                yield from (("row", business, moved.tx) for moved in movements)
            case ProductSheetUndone(of=position):
                yield "sheet", business, position
            case ProductsRemoved(products=products):
                yield from (("product", business, product.id) for product in products)
            case CustomersRemoved(customers=customers):
                yield from (("customer", business, customer.id) for customer in customers)


def _without(recorded: RecordedEvent, event: Event, gone: Gone) -> Event:
    business = recorded.business_id
    match event:
        case SalesBatchRecorded(sales=sales):
            kept = [sale for sale in sales if ("row", business, sale.tx) not in gone]
            return msgspec.structs.replace(event, sales=kept)
        case MovementsRecorded(movements=movements):
            left = [moved for moved in movements if ("row", business, moved.tx) not in gone]
            return msgspec.structs.replace(event, movements=left)
        case ProductSheetRecorded() if ("sheet", business, recorded.position) in gone:
            return msgspec.structs.replace(event, lines=[])
        case ProductsAdded(products=products):
            known = [product for product in products if ("product", business, product.id) not in gone]
            return msgspec.structs.replace(event, products=known)
        case CustomersAdded(customers=customers):
            people = [customer for customer in customers if ("customer", business, customer.id) not in gone]
            return msgspec.structs.replace(event, customers=people)
    return event


def still_named(history: Sequence[RecordedEvent], *, by_sales: bool = False) -> set[tuple[int, int]]:
    """Return business and id of products that rows named which were taken back, but that were not removed.

    by_sales: only those that sales and returns named.
    """
    named: set[tuple[int, int | None]] = set()
    removed: set[tuple[int, int | None]] = set()
    for recorded in history:
        business = recorded.business_id or 0
        match recorded.event:
            case SalesBatchUndone(sales=sales):
                named |= {(business, sale.product_id) for sale in sales}
            case MovementsUndone(movements=movements):
                named |= {(business, m.product_id) for m in movements if m.kind == "return" or not by_sales}
            case ProductSheetUndone(lines=lines) if not by_sales:
                named |= {(business, line.product_id) for line in lines}
            case ProductsRemoved(products=products):
                removed |= {(business, product.id) for product in products}
    return {(business, product) for business, product in named - removed if product is not None}
