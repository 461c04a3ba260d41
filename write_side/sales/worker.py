"""Reads an accepted ledger: rows in, batches of events out; continues after its last recorded batch."""

import logging
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import cast

from psycopg import Cursor
from psycopg.rows import DictRow

from shared.domain.events.inventory import ProductSheetRecorded
from shared.domain.events.sales import UploadCompleted, UploadFailed
from shared.eventstore.files import Files
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.jobs.queue import Job, Lease, Retry
from write_side.sales import aggregate, catalog
from write_side.sales.aggregate import Names, Upload, product_index_key, sale_index_key, sheet_index_key
from write_side.sales.csv.dates import AmbiguousDates, Order
from write_side.sales.csv.faults import Notice
from write_side.sales.csv.header import NoLedger
from write_side.sales.csv.rows import Chunks, LedgerRow, RejectedRow, Scan, TooManyRows, read_rows, scan
from write_side.sales.csv.sheet import Sheet
from write_side.sales.upload.rejections import keep_rejections

_CHUNK_ROWS = 2000
_ID_BLOCK = 10_000
_IMPORT_LOCK = 7308
# So long may pass between two batches of an import before another one goes on with the ledger.
_SIGN_OF_LIFE = "60s"
logger = logging.getLogger("smartmarket.import")


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


class _Alone:
    """A lease together with the lock that keeps other imports out: the server lets go of who has been silent."""

    def __init__(self, cursor: Cursor[DictRow], lease: Lease) -> None:
        self._cursor = cursor
        self._lease = lease

    def held(self) -> bool:
        self._cursor.execute("SELECT 1")
        return self._lease.held()


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
        with self._only_import(upload.business_id, lease) as alone:
            self._read(upload, alone)

    @contextmanager
    def _only_import(self, business_id: int, lease: Lease) -> Iterator[Lease]:
        """Keep other imports of the business out; what is lent is held while the process gives signs of life."""
        with self._store.cursor() as cursor:
            row = cursor.execute(
                "SELECT pg_try_advisory_lock(%s, %s) AS locked", (_IMPORT_LOCK, business_id)
            ).fetchone()
            if not (row and row["locked"]):
                raise Retry(1.0)
            cursor.execute("SELECT set_config('idle_session_timeout', %s, false)", (_SIGN_OF_LIFE,))
            try:
                yield _Alone(cursor, lease)
            finally:
                cursor.execute("RESET idle_session_timeout")
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", (_IMPORT_LOCK, business_id))

    def _read(self, upload: Upload, lease: Lease) -> None:
        began = time.monotonic()
        file_id = uuid.UUID(upload.file_id)

        def chunks() -> Iterator[bytes]:
            return self._files.chunks(upload.business_id, file_id, upload.size)

        try:
            found = scan(chunks, cast("Order | None", upload.date_order), upload.mapping)
            notices: list[Notice] = list(found.layout.warnings)
            sheet: Sheet = {}
            rows = self._rows(chunks, found, upload, notices, sheet)
            ids = _Ids(self._store, upload.business_id, found.rows)
            running = _Import(self._store, upload, ids, found.layout.header)
            for chunk in iter(lambda: list(islice(rows, _CHUNK_ROWS)), []):
                if not lease.held():
                    return
                _record(running, chunk)
            self._finish(running.upload, aggregate.complete(running.upload, _plain(notices)), sheet)
        except (NoLedger, AmbiguousDates, TooManyRows) as error:
            self._finish(upload, _failure(upload, error))
        logger.info(
            "upload read",
            extra={
                "business_id": upload.business_id,
                "file_id": upload.file_id,
                "processing_time_ms": round((time.monotonic() - began) * 1000),
            },
        )

    def _rows(
        self, chunks: Chunks, found: Scan, upload: Upload, notices: list[Notice], sheet: Sheet
    ) -> Iterator[LedgerRow | RejectedRow]:
        mark = catalog.marking(self._store.master.lookup_key, upload.business_id)
        items = read_rows(chunks, found.layout, found.date_format, upload.accepted_at, mark, notices, sheet)
        return (item for item in items if item.row > upload.through_row)

    def _finish(self, upload: Upload, event: UploadCompleted | UploadFailed, sheet: Sheet | None = None) -> None:
        def decide(unit: UnitOfWork) -> None:
            current = aggregate.load(unit.load(aggregate.stream_of(upload.file_id)))
            if current and not current.finished:
                events = [said for said in (_product_sheet(unit, upload, sheet or {}), event) if said]
                unit.append(aggregate.stream_of(upload.file_id), current.version, *events)

        self._store.execute(upload.business_id, _meta(upload), decide)


def _record(running: _Import, items: Sequence[LedgerRow | RejectedRow]) -> None:
    """Append what one chunk says, in one transaction; afterwards `running` is one chunk further."""
    upload = running.upload

    def decide(unit: UnitOfWork) -> tuple[Upload, dict[str, int], dict[str, int], int]:
        taken = _taken(unit, items)
        told = items if upload.dedupe else aggregate.with_twins(upload.file_id, items, taken)
        rows = [item for item in told if isinstance(item, LedgerRow)]
        new = [row for row in rows if sale_index_key(row.date, row.fingerprint) not in taken]
        allot = partial(running.store.allot, unit.business_id)
        products, added_products = catalog.products(unit, allot, new, running.products)
        customers, added_customers = catalog.customers(unit, allot, new, running.customers)
        first = running.ids.first_of(len(new))
        events, numbered = aggregate.record(upload.file_id, told, taken, Names(products, customers), first)
        additions = [event for event in (added_products, added_customers) if event]
        unit.append(aggregate.stream_of(upload.file_id), upload.version, *additions, *events)
        for i, row in enumerate(numbered):
            unit.claim("sale", sale_index_key(row.date, row.fingerprint), first + i)
        keep_rejections(unit, upload.file_id, running.header, [i for i in items if isinstance(i, RejectedRow)])
        after = upload
        for event in events:
            after = aggregate.counted(after, event)
        after = replace(after, version=upload.version + len(additions) + len(events))
        return after, products, customers, len(new)

    after, running.products, running.customers, created = running.store.execute(
        upload.business_id, _meta(upload), decide
    ).result
    running.ids.use(created, len(items))
    running.upload = after


def _taken(unit: UnitOfWork, items: Sequence[LedgerRow | RejectedRow]) -> set[bytes]:
    rows = (item for item in items if isinstance(item, LedgerRow))
    return set(unit.find("sale", [sale_index_key(row.date, row.fingerprint) for row in rows]))


def _product_sheet(unit: UnitOfWork, upload: Upload, sheet: Sheet) -> ProductSheetRecorded | None:
    """Return what the whole file says about products, None if it says nothing, or again what a ledger said before."""
    index_keys = {key: product_index_key(key) for key in sheet}
    found = unit.find("product", list(index_keys.values()))
    ids = {key: found[index] for key, index in index_keys.items() if index in found}
    event = aggregate.product_sheet(upload.file_id, sheet, ids)
    if event is None:
        return None
    claim = sheet_index_key(event.lines)
    if not unit.find("sheet", [claim]):
        unit.claim("sheet", claim, len(event.lines))
        return event
    return None if upload.dedupe else event


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
