"""What the two upload routes have in common, and the refusals that a file's content earns."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from shared.domain.events.sales import ReceiptStored, UploadAccepted
from shared.domain.refusals.sales import (
    EncryptedWorkbook,
    FormulasWithoutValues,
    InvalidCsvFormat,
    LostText,
    MissingColumns,
    MoneyWithoutProducts,
    NoSuchSheet,
    WorkbookTooLarge,
)
from shared.errors import Refusal
from shared.eventstore.files import Files
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.http.error_handlers import invalid_field
from shared.http.tokens import Principal
from shared.texts import Phrase
from write_side.sales import aggregate, undo_aggregate
from write_side.sales.csv.encoding import HEAD_SIZE, detect
from write_side.sales.csv.layout import insist_on_columns
from write_side.sales.csv.ledger import open_ledger, open_table
from write_side.sales.csv.records import text_table
from write_side.sales.csv.table import Chunks, NoLedger, Table, insist_on_records
from write_side.sales.csv.workbook import is_workbook
from write_side.sales.upload.memory import remembered, with_remembered
from write_side.sales.upload.pictures import Picture
from write_side.sales.upload.quotas import LEDGERS, RECEIPTS, insist_on_quota
from write_side.sales.upload.stream import is_safe

# Until a shop has measured better: rows per second of one worker, file to queryable.
ROWS_PER_SECOND = 15_000
_RECEIPT_SECONDS = 10
_SOURCE_NAME = "data_source_name"
_SOURCE_NAME_LENGTH = 255

# What an upload is answered with, and the position of its event.
Answer = tuple[dict[str, Any], int | None]


def estimated_seconds(rows: int) -> int:
    """Return the whole seconds that reading `rows` rows takes, at least 1."""
    return max(1, round(rows / ROWS_PER_SECOND))


def insist_on_ledger(head: bytes, chunks: Chunks, mapping: Mapping[str, str], sheet: str = "") -> Table:
    """Return the table of the file that begins with `head`; raises InvalidCsvFormat for what is no ledger.

    A text no larger than a head is read to its end; of a larger one its import may find what it is. chunks: opens the
    whole file, which only workbooks need. mapping: the columns that the owner chose, which must be there. sheet: see
    `workbook_table`.
    """
    try:
        table = _table(head, chunks, mapping, sheet)
        insist_on_columns(table.header, mapping)
        if len(head) < HEAD_SIZE:
            insist_on_records(table)
            if not is_workbook(head):
                open_ledger(lambda: [head], mapping=mapping)
    except NoLedger as found:
        raise refusal_of(found) from found
    return table


def insist_on_mapped(
    store: EventStore, who: Principal, head: bytes, chunks: Chunks, mapping: Mapping[str, str], sheet: str
) -> tuple[dict[str, str], Table]:
    """Return the columns that the owner chose, now or for an earlier ledger of the layout, and the table.

    Raises InvalidCsvFormat for what is no ledger.
    """
    try:
        header = _table(head, chunks, mapping, sheet).header
    except NoLedger as found:
        raise refusal_of(found) from found

    def earlier(unit: UnitOfWork) -> dict[str, str]:
        return remembered(unit, aggregate.layout_key(header)).mapping

    chosen = with_remembered(mapping, store.execute(who.business_id, Metadata(), earlier).result, header)
    return chosen, insist_on_ledger(head, chunks, chosen, sheet)


def _table(head: bytes, chunks: Chunks, mapping: Mapping[str, str], sheet: str) -> Table:
    if is_workbook(head):
        return open_table(chunks, mapping, sheet)
    return text_table(lambda: [head], mapping, detect(head))


def looks_like_ledger(head: bytes) -> bool:
    """Return whether a file that begins with `head` is a ledger for sure, before all of it has come.

    Workbooks are judged whole; texts whose columns the owner may have named in a later field are judged then.
    """
    try:
        return not is_workbook(head) and bool(insist_on_ledger(head, lambda: [head], {}))
    except Refusal:
        return False


_REFUSALS: dict[str, type[InvalidCsvFormat]] = {
    "text_lost": LostText,
    "no_products": MoneyWithoutProducts,
    "encrypted": EncryptedWorkbook,
    "formulas": FormulasWithoutValues,
    "too_large_inside": WorkbookTooLarge,
}


def refusal_of(found: NoLedger) -> Refusal:
    """Return what a finding about a file says to its owner."""
    if found.reason == "missing_columns":
        return MissingColumns(details=found.details, missing=", ".join(found.missing))
    if found.reason == "no_sheet":
        return NoSuchSheet(details=found.details, missing=", ".join(found.missing), found=", ".join(found.found))
    return _REFUSALS.get(found.reason, InvalidCsvFormat)(details=found.details)


def source_name(form: Mapping[str, str]) -> str | None:
    """Return what the owner calls the ledger, None if nothing; raises InvalidFields for what cannot be shown."""
    name = " ".join(form.get(_SOURCE_NAME, "").split())
    if len(name) > _SOURCE_NAME_LENGTH:
        problem = Phrase("FIELD_TOO_LONG", {"max_length": _SOURCE_NAME_LENGTH})
        raise invalid_field(_SOURCE_NAME, "string_too_long", problem)
    if not is_safe(name):
        raise invalid_field(_SOURCE_NAME, "string_pattern_mismatch", Phrase("FIELD_INVALID"))
    return name or None


def keeping(files: Files, who: Principal, file_id: uuid.UUID, record: Callable[[], Answer]) -> Answer:
    """Return what `record` answers; the stored file is deleted if it is refused or the answer is about another one.

    After other errors it stays: what was lost may be the answer only, to a command that was carried out.
    """
    try:
        answer = record()
    except Refusal:
        files.delete(who.business_id or 0, file_id)
        raise
    if str(file_id) not in answer[0].values():
        files.delete(who.business_id or 0, file_id)
    return answer


def accept(store: EventStore, who: Principal, meta: Metadata, event: UploadAccepted, *, limited: bool) -> Answer:
    """Record that a ledger will be read; `limited` shops have quotas.

    Raises TooManyUploads, IdempotencyKeyReused, and what forbids to undo the upload that it replaces.
    """
    answer = {
        "file_id": event.file_id,
        "file_name": event.file_name,
        "rows_detected": event.rows_detected,
        "estimated_processing_time": estimated_seconds(event.rows_detected),
    }

    def decide(unit: UnitOfWork) -> dict[str, Any]:
        if limited:
            insist_on_quota(unit, LEDGERS, event.size)
        if event.replaces:
            old = aggregate.load(unit.load(aggregate.stream_of(event.replaces)))
            undo_aggregate.insist_on_undoable(old, who.business_id, unit.now)
        unit.append(aggregate.stream_of(event.file_id), 0, event)
        return answer

    same = _hash(
        event.topic,
        event.sha256,
        event.dedupe,
        event.date_order,
        sorted(event.mapping.items()),
        sorted(event.answers.items()),
        event.replaces,
    )
    outcome = store.execute(who.business_id, meta, decide, request_hash=same)
    return outcome.result, outcome.position


def store_receipt(
    store: EventStore, who: Principal, meta: Metadata, picture: Picture, image_id: uuid.UUID, *, limited: bool
) -> Answer:
    """Record that a receipt's picture is kept; raises TooManyUploads, IdempotencyKeyReused."""
    sha256 = hashlib.sha256(picture.data).hexdigest()
    event = ReceiptStored(str(image_id), picture.media_type, len(picture.data), sha256, picture.date)

    def decide(unit: UnitOfWork) -> dict[str, Any]:
        if limited:
            insist_on_quota(unit, RECEIPTS, event.size)
        unit.append(f"receipt-{image_id}", 0, event)
        return {"image_id": event.image_id, "estimated_processing_time": _RECEIPT_SECONDS}

    same = _hash(event.topic, sha256, picture.date)
    outcome = store.execute(who.business_id, meta, decide, request_hash=same)
    return outcome.result, outcome.position


def _hash(*request: object) -> bytes:
    return hashlib.sha256("\0".join(map(str, request)).encode()).digest()
