"""Events as tests write them: short, with what does not matter filled in."""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from itertools import count
from uuid import UUID, uuid5

from shared.domain.events.cashflow import (
    CashSettingsChanged,
    CollectionRecorded,
    CollectionVoided,
    ExpenseRecorded,
    ExpenseVoided,
    OpeningDebtRecorded,
    OpeningDebtVoided,
)
from shared.domain.events.customers import CustomerDataErased, CustomersMerged
from shared.domain.events.identity import (
    BusinessErasureRequested,
    BusinessProfileChanged,
    BusinessRegistered,
    LoggedOut,
)
from shared.domain.events.inventory import ProductDetailsChanged, ProductLine, ProductSheetRecorded, StockMoved
from shared.domain.events.recommendations import RecommendationViewed
from shared.domain.events.sales import (
    CustomersAdded,
    Movement,
    MovementsRecorded,
    NewCustomer,
    NewProduct,
    ProductsAdded,
    ReceiptStored,
    Sale,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
    UploadAccepted,
    UploadCompleted,
)
from shared.eventstore.event import Event
from tests.support.forecast_events import made, takings
from tests.support.recommendation_events import issued

DAY = dt.date(2025, 10, 29)
PAYMENTS: list[tuple[str, str | None]] = [("cash", None), ("bkash", None), ("other", "উপহার কার্ড")]
_FILES = UUID("7d2c1c52-9d5c-4b7e-8f0e-5f4d3c2b1a00")


def file_id(business: int, number: int = 0) -> str:
    """Return the id of a business's n-th file."""
    return str(uuid5(_FILES, f"{business}/{number}"))


def products(*names: str, first: int = 1, price: int = 1000) -> ProductsAdded:
    """Return new products, numbered from `first`."""
    return ProductsAdded([NewProduct(i, name, name.casefold(), price) for i, name in enumerate(names, first)])


def customers(*people: tuple[str | None, str | None], first: int = 1) -> CustomersAdded:
    """Return new customers by name and phone, numbered from `first`, still to be sealed."""
    return CustomersAdded(
        [
            NewCustomer(i, f"key-{i}", json.dumps({"name": name, "phone": phone}))
            for i, (name, phone) in enumerate(people, first)
        ]
    )


def profile(business: int, user: int = 1, phone: str | None = None, **said: str | None) -> BusinessProfileChanged:
    """Return a changed profile, its phone still to be sealed."""
    sealed = None if phone is None else json.dumps({"phone_number": phone})
    return BusinessProfileChanged(business, user, sealed=sealed, **said)


def sale(
    tx: int,
    product: int = 1,
    paisa: int = 1000,
    qty: int = 1000,
    customer: int | None = None,
    date: dt.date = DAY,
    time: int | None = None,
    payment: int | None = None,
) -> Sale:
    """Return one line of a ledger."""
    return Sale(tx, tx, date, time, product, customer, qty, paisa, payment)


def batch(
    business: int,
    sales: Sequence[Sale],
    *,
    number: int = 0,
    duplicates: int = 0,
    rejected: int = 0,
    payments: list[tuple[str, str | None]] = PAYMENTS,
) -> SalesBatchRecorded:
    """Return a batch of a business's n-th file."""
    return SalesBatchRecorded(file_id(business, number), list(sales), payments, "", duplicates, rejected, len(sales))


def accepted(business: int, number: int = 0, rows: int = 3) -> UploadAccepted:
    """Return the acceptance of a business's n-th file."""
    return UploadAccepted(file_id(business, number), "sales.csv", "Till", 120, "ab" * 32, rows)


def completed(business: int, number: int = 0, *, created: int = 3) -> UploadCompleted:
    """Return the end of a business's n-th file."""
    return UploadCompleted(file_id(business, number), created, created, 0, 0)


def busy_shop(business: int, batches: int, rows: int = 20, first_tx: int = 1) -> Iterator[Event]:
    """Yield the events of a ledger of `batches` batches of `rows` sales: 9 products, 7 customers and walk-ins."""
    if first_tx == 1:
        yield BusinessRegistered(business, business, f"Shop {business}", "retail")
        yield products(*(f"Product {i} of {business}" for i in range(1, 10)))
        yield customers(*((f"Customer {i} of {business}", f"+88017{business:04}{i:04}") for i in range(1, 8)))
    yield accepted(business, first_tx, batches * rows)
    for start in range(first_tx, first_tx + batches * rows, rows):
        yield batch(business, [_line(business, tx) for tx in range(start, start + rows)], number=first_tx, duplicates=1)
    yield completed(business, first_tx, created=batches * rows)


def everything_else(business: int) -> Iterator[Event]:
    """Yield what a shop does beside uploading sales: one event of every kind that fills a table."""
    yield SaleRecorded(90_001, DAY, 43_200, 1, 1, 2000, 90_000, ("credit", None), "")
    yield SaleRecorded(90_002, DAY, None, 1, None, 1000, 9_000, None, "")
    yield SaleVoided(90_002, "twice", DAY, None, 1, None, 1000, 9_000, None)
    back = Movement(2, 90_003, "return", DAY, None, 1, None, None, 1000, 500, None)
    yield MovementsRecorded(file_id(business, 9), [back], [], "")
    yield ProductDetailsChanged(1, sku="T-1", unit="kg", lead_time_days=2)
    yield StockMoved(1, "count", 50_000, DAY, 36_000)
    yield StockMoved(1, "receive", 5_000, DAY, 50_000)
    yield ProductSheetRecorded(file_id(business, 9), [ProductLine(2, None, 700, 9_000, DAY)])
    yield CashSettingsChanged(5_000_000, DAY, 1_000_000)
    yield ExpenseRecorded(1, DAY, 70_000, "rent", "monthly")
    yield ExpenseRecorded(2, DAY, 5_000, "tea", None)
    yield ExpenseVoided(2, "twice", DAY, 5_000)
    yield CollectionRecorded(1, DAY, 10_000, 1)
    yield CollectionRecorded(2, DAY, 7_000, 1)
    yield CollectionVoided(2, "twice", DAY, 7_000, 1)
    yield OpeningDebtRecorded(1, "debt", DAY, 30_000, 1)
    yield OpeningDebtRecorded(2, "advance", DAY, 4_000, 2)
    yield OpeningDebtVoided(2, "twice", "advance", DAY, 4_000, 2)
    yield CustomersMerged(1, [2])
    yield CustomerDataErased(1, [2], [], "")
    yield made(1, [3, 4, 0], made_on=DAY)
    yield takings([90_000, 80_000], made_on=DAY)
    yield ReceiptStored(file_id(business, 98), "image/png", 1, "ab", DAY)
    yield issued()
    yield RecommendationViewed(1, 45)
    yield LoggedOut(business, file_id(business, 97))
    yield BusinessErasureRequested(business, business, dt.datetime.combine(DAY, dt.time(10), dt.UTC))


def busy_street(shops: int, first_tx: int = 1) -> Iterator[tuple[int, Event]]:
    """Yield what that many shops do, each in turn, one ledger after the other without end."""
    for first in count(first_tx, 100):
        for turn in zip(*(busy_shop(b, 5, 20, first) for b in range(1, shops + 1)), strict=True):
            yield from enumerate(turn, 1)


def _line(business: int, tx: int) -> Sale:
    mixed = tx * 7919 + business * 104_729
    return sale(
        tx,
        product=mixed % 9 + 1,
        paisa=100 + mixed % 99_991,
        qty=1000 * (mixed % 7 + 1),
        customer=(None, *range(1, 8))[mixed % 8],
        date=DAY - dt.timedelta(days=mixed % 40),
        time=(None, mixed % 86_400)[mixed % 2],
        payment=(None, 0, 1, 2)[mixed % 4],
    )
