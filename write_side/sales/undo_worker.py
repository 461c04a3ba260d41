"""Takes back what an upload recorded, chunk by chunk, resuming after the last chunk that was taken back."""

import base64
import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from shared.domain.events.inventory import ProductSheetRecorded
from shared.domain.events.sales import SalesBatchRecorded
from shared.domain.events.uploads import CustomersRemoved, MovementsUndone, ProductsRemoved, SalesBatchUndone
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.store import EventStore, UnitOfWork
from shared.jobs.queue import Job, Lease
from write_side.sales import aggregate, undo_aggregate, undo_lookups
from write_side.sales.aggregate import Upload, product_index_key, sheet_index_key, stream_of, void_index_key
from write_side.sales.import_lock import only_import
from write_side.sales.recording import meta_of
from write_side.sales.undo_aggregate import Others, Recorded, TakenBack

# Events in one transaction: four batches are as many rows as an import records at once.
_CHUNK_EVENTS = 4
logger = logging.getLogger("smartmarket.import")


class UploadUndoer:
    """Handles `undo_upload` jobs."""

    def __init__(self, store: EventStore) -> None:
        """Append to `store`."""
        self._store = store

    def __call__(self, job: Job, lease: Lease) -> None:
        """Take back what is left of an upload; nothing is imported for the business meanwhile."""
        with only_import(self._store, job.business_id or 0, lease) as exclusive:
            undo(self._store, job.subject, exclusive)


def undo_requested(store: EventStore, upload: Upload, lease: Lease) -> bool:
    """Undo what was to be undone when `upload` is read; else its rows could be known of uploads that are about to go.

    The caller holds the import lock. Returns False if the lease was lost.
    """
    file_ids = store.execute(upload.business_id, meta_of(upload), undo_lookups.undoing).result
    return all(undo(store, file_id, lease) for file_id in file_ids)


def undo_replaced(store: EventStore, upload: Upload, lease: Lease) -> bool | None:
    """Undo the upload that `upload` replaces; the caller holds the import lock.

    Returns whether `upload` may be recorded then: not if another one has replaced it. None if the lease was lost.
    """
    old = aggregate.load(store.load(stream_of(upload.replaces or "")))
    if old is None or old.replaced_by not in {None, upload.file_id}:
        return False

    def request(unit: UnitOfWork) -> None:
        unit.append(stream_of(old.file_id), old.version, *undo_aggregate.request(old, upload.file_id))

    if not (old.undoing or old.undone):
        store.execute(upload.business_id, meta_of(upload), request)
    return undo(store, old.file_id, lease) or None


def undo(store: EventStore, file_id: str, lease: Lease) -> bool:
    """Take back what is left of an upload whose undo was requested; returns whether it is undone."""
    history = store.load(stream_of(file_id))
    upload = aggregate.load(history)
    if upload is None or not upload.undoing or upload.undone:
        return upload is not None and upload.undone
    began = time.monotonic()
    undoing = _Undoing(store, upload, history)
    while undoing.left:
        if not lease.held():
            return False
        undoing.take_back()
    undoing.conclude()
    extra = {"business_id": upload.business_id, "file_id": file_id}
    logger.info("upload undone", extra={**extra, "processing_time_ms": round((time.monotonic() - began) * 1000)})
    return True


class _Undoing:
    """One upload on its way back; every step is fenced by the version of its stream."""

    def __init__(self, store: EventStore, upload: Upload, history: Sequence[RecordedEvent]) -> None:
        self._store = store
        self._upload = upload
        self.left = [r for r in history if r.position > upload.taken_back and isinstance(r.event, Recorded)]

    def take_back(self) -> None:
        """Append the events that take back the next chunk, and release the keys of its rows."""
        chunk, self.left = self.left[:_CHUNK_EVENTS], self.left[_CHUNK_EVENTS:]
        appended = self._store.execute(
            self._upload.business_id, meta_of(self._upload), lambda unit: self._decide(unit, chunk)
        ).result
        self._upload = replace(self._upload, version=self._upload.version + appended)

    def conclude(self) -> None:
        """Append the end, and remove the products and customers that nothing else names."""
        self._store.execute(self._upload.business_id, meta_of(self._upload), self._decide_end)

    def _decide(self, unit: UnitOfWork, chunk: Sequence[RecordedEvent]) -> int:
        events = [(recorded, recorded.event) for recorded in chunk]
        ids = [sale.tx for _, event in events if isinstance(event, SalesBatchRecorded) for sale in event.sales]
        voided = set(unit.find("void", [void_index_key(tx) for tx in ids]).values())
        sheets = any(isinstance(event, ProductSheetRecorded) for _, event in events)
        said = undo_lookups.said_of_products(unit) if sheets else []
        taken: list[TakenBack] = [
            undo_aggregate.take_back(recorded, event, voided, said)
            for recorded, event in events
            if isinstance(event, Recorded)
        ]
        unit.append(stream_of(self._upload.file_id), self._upload.version, *taken)
        for event in taken:
            if isinstance(event, SalesBatchUndone | MovementsUndone):
                for key in undo_aggregate.fingerprint_keys(event):
                    unit.release("sale", key)
            else:
                unit.release("sheet", sheet_index_key(event.lines))
        return len(taken)

    def _decide_end(self, unit: UnitOfWork) -> None:
        made = undo_aggregate.made_by(unit.load(stream_of(self._upload.file_id)))
        facts = Others(made, self._upload.file_id)
        for recorded in undo_lookups.others(unit, self._upload.file_id, made):
            facts.add(recorded)
        events = facts.conclude(self._upload)
        unit.append(stream_of(self._upload.file_id), self._upload.version, *events)
        for event in events:
            if isinstance(event, ProductsRemoved):
                for product in event.products:
                    unit.release("product", product_index_key(product.key))
            if isinstance(event, CustomersRemoved):
                for customer in event.customers:
                    unit.release("customer", base64.b64decode(customer.key))
