"""Reads an accepted ledger: rows in, batches of events out; continues after its last recorded batch."""

import base64
import logging
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import cast
from zoneinfo import ZoneInfo

from shared.event_store import EventStore, Metadata, Unit
from shared.events.sales import CustomersAdded, NewCustomer, NewProduct, ProductsAdded, UploadCompleted, UploadFailed
from shared.files import Files
from shared.jobs import Job, Lease, Retry
from shared.rules.pricing import unit_price
from write_side.sales import aggregate
from write_side.sales.aggregate import Names, Upload, product_index_key, sale_index_key
from write_side.sales.csv_dates import AmbiguousDates, Order
from write_side.sales.csv_faults import Notice
from write_side.sales.csv_header import NoLedger
from write_side.sales.csv_rows import Chunks, LedgerRow, RejectedRow, Scan, TooManyRows, read_rows, scan
from write_side.sales.rejections import keep_rejections

_CHUNK_ROWS = 2000
_ID_BLOCK = 10_000
_IMPORT_LOCK = 7308
_DHAKA = ZoneInfo("Asia/Dhaka")
logger = logging.getLogger("smartmarket.import")

# Returns whether this connection may import for the business now.
TRY_LOCK_IMPORT = "SELECT pg_try_advisory_lock(%s, %s) AS locked"


@dataclass
class _Ids:
    """Transaction ids allotted in blocks; what is left of the last block is a gap."""

    store: EventStore
    business_id: int
    expected: int
    next: int = 0
    end: int = 0

    def first_of(self, count: int) -> int:
        """Return the first of `count` consecutive ids, which `use` makes final."""
        if self.next + count > self.end:
            block = max(count, min(self.expected, _ID_BLOCK))
            self.next = self.store.allot(self.business_id, "transaction", block)
            self.end = self.next + block
        return self.next

    def use(self, count: int, rows: int) -> None:
        """Count ids as used; `rows` fewer are expected."""
        self.next += count
        self.expected = max(0, self.expected - rows)


@dataclass
class _Import:
    """One run over one ledger."""

    store: EventStore
    upload: Upload
    ids: _Ids
    header: list[str]
    products: dict[str, int] = field(default_factory=dict)
    customers: dict[str, int] = field(default_factory=dict)


class LedgerReader:
    """Handles `read_upload` jobs."""

    def __init__(self, store: EventStore, files: Files) -> None:
        """Read from `files`, append to `store`."""
        self._store = store
        self._files = files

    def __call__(self, job: Job, lease: Lease) -> None:
        """Read what is not read yet; one that is finished is left alone, one business reads one ledger at a time."""
        upload = aggregate.load(self._store.load(aggregate.stream_of(job.subject)))
        if upload is None or upload.finished:
            return
        with self._only_import(upload.business_id):
            self._read(upload, lease)

    @contextmanager
    def _only_import(self, business_id: int) -> Iterator[None]:
        with self._store.cursor() as cursor:
            row = cursor.execute(
                "SELECT pg_try_advisory_lock(%s, %s) AS locked", (_IMPORT_LOCK, business_id)
            ).fetchone()
            if not (row and row["locked"]):
                raise Retry(1.0)
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", (_IMPORT_LOCK, business_id))

    def _read(self, upload: Upload, lease: Lease) -> None:
        began = time.monotonic()
        file_id = uuid.UUID(upload.file_id)

        def chunks() -> Iterator[bytes]:
            return self._files.chunks(upload.business_id, file_id, upload.size)

        try:
            found = scan(chunks, cast("Order | None", upload.date_order))
            notices: list[Notice] = list(found.layout.warnings)
            rows = self._rows(chunks, found, upload, notices)
            ids = _Ids(self._store, upload.business_id, found.rows)
            running = _Import(self._store, upload, ids, found.layout.header)
            for chunk in iter(lambda: list(islice(rows, _CHUNK_ROWS)), []):
                if not lease.held():
                    return
                _record(running, chunk)
            self._finish(running.upload, aggregate.complete(running.upload, _plain(notices)))
        except (NoLedger, AmbiguousDates, TooManyRows) as error:
            self._finish(upload, _failure(upload, error))
        logger.info("upload read", extra={
            "business_id": upload.business_id, "file_id": upload.file_id,
            "processing_time_ms": round((time.monotonic() - began) * 1000),
        })  # fmt: skip

    def _rows(
        self, chunks: Chunks, found: Scan, upload: Upload, notices: list[Notice]
    ) -> Iterator[LedgerRow | RejectedRow]:
        today = upload.accepted_at.astimezone(_DHAKA).date()
        items = read_rows(
            chunks,
            found.layout,
            found.date_format,
            today,
            upload.accepted_at,
            notices=notices,
        )
        return (item for item in items if item.row > upload.through_row)

    def _finish(self, upload: Upload, event: UploadCompleted | UploadFailed) -> None:
        def decide(unit: Unit) -> None:
            current = aggregate.load(unit.load(aggregate.stream_of(upload.file_id)))
            if current and not current.finished:
                unit.append(aggregate.stream_of(upload.file_id), current.version, event)

        self._store.execute(upload.business_id, _meta(upload), decide)


def _record(running: _Import, items: Sequence[LedgerRow | RejectedRow]) -> None:
    """Append what one chunk says, in one transaction; afterwards `running` is one chunk further."""
    upload = running.upload

    def decide(unit: Unit) -> tuple[Upload, dict[str, int], dict[str, int], int]:
        taken = _taken(unit, items)
        told = items if upload.dedupe else aggregate.with_twins(upload.file_id, items, taken)
        rows = [item for item in told if isinstance(item, LedgerRow)]
        new = [row for row in rows if sale_index_key(row.date, row.fingerprint) not in taken]
        products, added_products = _products(unit, running, new)
        customers, added_customers = _customers(unit, running, new)
        first = running.ids.first_of(len(new))
        batches = aggregate.record(upload.file_id, told, taken, Names(products, customers), first)
        additions = [event for event in (added_products, added_customers) if event]
        unit.append(aggregate.stream_of(upload.file_id), upload.version, *additions, *batches)
        for i, row in enumerate(new):
            unit.claim("sale", sale_index_key(row.date, row.fingerprint), first + i)
        keep_rejections(unit, upload.file_id, running.header, [i for i in items if isinstance(i, RejectedRow)])
        after = upload
        for batch in batches:
            after = aggregate.counted(after, batch)
        after = replace(after, version=upload.version + len(additions) + len(batches))
        return after, products, customers, len(new)

    after, running.products, running.customers, created = running.store.execute(
        upload.business_id, _meta(upload), decide
    ).result
    running.ids.use(created, len(items))
    running.upload = after


def _taken(unit: Unit, items: Sequence[LedgerRow | RejectedRow]) -> set[bytes]:
    rows = (item for item in items if isinstance(item, LedgerRow))
    return set(unit.find("sale", [sale_index_key(row.date, row.fingerprint) for row in rows]))


def _products(unit: Unit, running: _Import, rows: Sequence[LedgerRow]) -> tuple[dict[str, int], ProductsAdded | None]:
    """Return every product known after these rows, and the event that adds the new ones."""
    first_rows = {row.product_key: row for row in reversed(rows) if row.product_key not in running.products}
    index_keys = {key: product_index_key(key) for key in first_rows}
    found = unit.find("product", list(index_keys.values()))
    known = running.products | {key: found[index] for key, index in index_keys.items() if index in found}
    missing = [row for row in reversed(first_rows.values()) if row.product_key not in known]
    if not missing:
        return known, None
    first = running.store.allot(unit.business_id, "product", len(missing))
    added = []
    for number, row in enumerate(missing, first):
        unit.claim("product", index_keys[row.product_key], number)
        known[row.product_key] = number
        added.append(NewProduct(number, row.product, row.product_key, unit_price(row.paisa, row.quantity)))
    return known, ProductsAdded(added)


def _customers(unit: Unit, running: _Import, rows: Sequence[LedgerRow]) -> tuple[dict[str, int], CustomersAdded | None]:
    """Return every customer known after these rows, and the event that adds the new ones, sealed each under its key."""
    named = ((aggregate.customer_key(row), row) for row in reversed(rows))
    first_rows = {key: row for key, row in named if key is not None and key not in running.customers}
    index_keys = {key: unit.vault.lookup_key("customer", unit.business_id, key) for key in first_rows}
    found = unit.find("customer", list(index_keys.values()))
    known = running.customers | {key: found[index] for key, index in index_keys.items() if index in found}
    missing = [(key, row) for key, row in reversed(first_rows.items()) if key not in known]
    if not missing:
        return known, None
    first = running.store.allot(unit.business_id, "customer", len(missing))
    numbers = {key: number for number, (key, _) in enumerate(missing, first)}
    keys = unit.vault.keys([f"customer-{unit.business_id}-{number}" for number in numbers.values()], create=True)
    added = []
    for key, row in missing:
        unit.claim("customer", index_keys[key], numbers[key])
        sealed = keys.seal(f"customer-{unit.business_id}-{numbers[key]}", {"name": row.customer, "phone": row.phone})
        added.append(NewCustomer(numbers[key], base64.b64encode(index_keys[key]).decode(), sealed))
    return known | numbers, CustomersAdded(added)


def _failure(upload: Upload, error: NoLedger | AmbiguousDates | TooManyRows) -> UploadFailed:
    if isinstance(error, AmbiguousDates):
        return UploadFailed(
            upload.file_id, "AMBIGUOUS_DATES", {"example": error.example, "choices": list(error.choices)}
        )
    if isinstance(error, TooManyRows):
        return UploadFailed(upload.file_id, "TOO_MANY_ROWS", {})
    return UploadFailed(upload.file_id, "INVALID_CSV_FORMAT", error.details)


def _plain(notices: Sequence[Notice]) -> list[tuple[str, tuple[str, ...]]]:
    return [(notice.code, notice.values) for notice in notices]


def _meta(upload: Upload) -> Metadata:
    return Metadata(actor="worker", causation=upload.accepted_position)
