"""A ledger that an earlier release recorded is known when it is uploaded again by the rule of this one."""

import base64
import datetime as dt
from hashlib import sha256

from shared.domain.events.sales import NewProduct, ProductsAdded, Sale, SalesBatchRecorded
from shared.eventstore.files import Files, TableParts
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from tests.support.accepted_ledgers import Held, accept, job_of, upload_of
from write_side.sales.aggregate import Upload, product_index_key, sale_index_key, stream_of
from write_side.sales.worker import LedgerReader

SHOP = 7
DAY = dt.date(2025, 10, 1)
HEADER = "Date,Invoice No,Product,Quantity,Amount,Customer,Payment Method\n"
# Rows of which that release knew less: their receipts, that a walk-in is nobody, that COD is cash.
ROWS = (
    "2025-10-01,1,Tea,2,600,Walk-in,Cash",
    "2025-10-01,2,Tea,2,600,Walk-in,Cash",
    "2025-10-01,3,Rice,1,80,Ali,Cash on delivery",
    "2025-10-01,4,Rice,1,80,,Not paid",
    "2025-10-01,5,Rice,1,80,Ali,Cash",
)
# Product, quantity, paisa, customer, mark of the payment and number among its twins, as that release had them.
KNOWN = (
    ("tea", 2_000, 60_000, "walk-in", "cash", 1),
    ("tea", 2_000, 60_000, "walk-in", "cash", 2),
    ("rice", 1_000, 8_000, "ali", "other:cash on delivery", 1),
    ("rice", 1_000, 8_000, "", "other:not paid", 1),
    ("rice", 1_000, 8_000, "ali", "cash", 1),
)


def record_as_before(store: EventStore, business: int) -> None:
    """Write what the earlier release wrote of these rows."""

    def decide(unit: UnitOfWork) -> None:
        def mark(name: str) -> str:
            return unit.vault.lookup_key("fingerprint", business, name).hex() if name else ""

        prints = [
            sha256(f"{DAY}\x1f{key}\x1f{qty}\x1f{paisa}\x1f{mark(name)}\x1f{paid}\x1f{twin}".encode()).digest()[:12]
            for key, qty, paisa, name, paid, twin in KNOWN
        ]
        ids = {"tea": 1, "rice": 2}
        sales = [
            Sale(row, row - 1, DAY, None, ids[key], None, qty, paisa, None)
            for row, (key, qty, paisa, *_) in enumerate(KNOWN, 2)
        ]
        unit.append(
            stream_of("earlier"),
            0,
            ProductsAdded([NewProduct(number, key.title(), key, 30_000) for key, number in ids.items()]),
            SalesBatchRecorded("earlier", sales, [], base64.b64encode(b"".join(prints)).decode(), 0, 0, 6),
        )
        for key, number in ids.items():
            unit.claim("product", product_index_key(key), number)
        for sale, fingerprint in zip(sales, prints, strict=True):
            unit.claim("sale", sale_index_key(DAY, fingerprint), sale.tx)
        for kind, count in (("product", len(ids)), ("transaction", len(sales))):
            store.allot(business, kind, count)

    store.execute(business, Metadata(), decide)


def read(store: EventStore, business: int, *rows: str) -> Upload:
    files = Files(store, TableParts(store))
    file_id = accept(store, files, business, (HEADER + "\n".join(rows)).encode())
    LedgerReader(store, files)(job_of(file_id, business), Held())
    return upload_of(store, file_id)


def test_rows_that_an_earlier_release_recorded_are_duplicates(store: EventStore) -> None:
    record_as_before(store, SHOP)
    again = read(store, SHOP, *ROWS)
    assert (again.created, again.duplicates) == (0, len(ROWS))


def test_further_rows_are_recorded_and_then_known_by_their_own(store: EventStore) -> None:
    record_as_before(store, SHOP)
    more = ("2025-10-01,6,Tea,2,600,Walk-in,Cash", "2025-10-02,7,Tea,2,600,Walk-in,Cash")
    for created, known in ((2, 5), (0, 7)):
        upload = read(store, SHOP, *ROWS, *more)
        assert (upload.created, upload.duplicates) == (created, known)
