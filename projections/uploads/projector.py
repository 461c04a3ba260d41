"""The state and the row counts of each uploaded ledger, and the pictures of receipts."""

from typing import Any

import msgspec

from projections.engine.deltas import Deltas, Table
from projections.engine.projection import Projection
from shared.domain.events.sales import (
    MovementsRecorded,
    ReceiptStored,
    SalesBatchRecorded,
    UploadAccepted,
    UploadAnswered,
    UploadCompleted,
    UploadFailed,
    UploadQuestionsAsked,
)
from shared.domain.events.uploads import UploadUndone, UploadUndoRequested
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.system_events import JobFailed, JobRetried
from shared.eventstore.vault import SubjectKeys

UPLOADS_TABLE = Table(
    "uploads",
    ("business_id", "file_id"),
    changes={
        "file_name": "set",
        "data_source_name": "set",
        "state": "set",
        "rows_detected": "set",
        "rows": "set",
        "created": "add",
        "duplicates": "add",
        "rejected": "add",
        "left_out": "add",
        "questions": "set",
        "error_code": "set",
        "error_details": "set",
        "warnings": "set",
        "undo": "set",
        "undo_requested_at": "set",
        "undone_at": "set",
        "created_at": "set",
        "completed_at": "set",
        "accepted": "set",
        "position": "set",
    },
)
RECEIPTS = Table(
    "receipts",
    ("business_id", "image_id"),
    changes=dict.fromkeys(("receipt_date", "created_at", "position"), "set"),
)


def on_upload_accepted(recorded: RecordedEvent, event: UploadAccepted, deltas: Deltas, _: SubjectKeys) -> None:
    """Insert an accepted ledger."""
    _merge(
        recorded,
        event.file_id,
        deltas,
        file_name=event.file_name,
        data_source_name=event.data_source_name,
        state="pending",
        rows_detected=event.rows_detected,
        created_at=recorded.recorded_at,
        accepted=recorded.position,
    )


def on_upload_questions_asked(
    recorded: RecordedEvent, event: UploadQuestionsAsked, deltas: Deltas, _: SubjectKeys
) -> None:
    """A ledger waits for its owner's answers."""
    questions = msgspec.json.encode(event.questions).decode()
    _merge(recorded, event.file_id, deltas, state="waiting", questions=questions)


def on_upload_answered(recorded: RecordedEvent, event: UploadAnswered, deltas: Deltas, _: SubjectKeys) -> None:
    """An answered ledger waits to be read again."""
    _merge(recorded, event.file_id, deltas, state="pending")


def on_sales_batch_recorded(recorded: RecordedEvent, event: SalesBatchRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Count the sales of a batch."""
    _merge(
        recorded,
        event.file_id,
        deltas,
        state="processing",
        created=len(event.sales),
        duplicates=event.duplicates,
        rejected=event.rejected,
        left_out=event.left_out,
    )


def on_movements_recorded(recorded: RecordedEvent, event: MovementsRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Count rows that are not sales; the batch that follows counts the others."""
    _merge(recorded, event.file_id, deltas, state="processing", created=len(event.movements))


def on_upload_completed(recorded: RecordedEvent, event: UploadCompleted, deltas: Deltas, _: SubjectKeys) -> None:
    """Mark a ledger as completely read."""
    warnings = msgspec.json.encode(event.warnings).decode() if event.warnings else None
    _merge(
        recorded,
        event.file_id,
        deltas,
        state="completed",
        rows=event.rows,
        warnings=warnings,
        completed_at=recorded.recorded_at,
    )


def on_upload_failed(recorded: RecordedEvent, event: UploadFailed, deltas: Deltas, _: SubjectKeys) -> None:
    """Mark a ledger as unreadable."""
    details = msgspec.json.encode(event.details).decode() if event.details else None
    _merge(
        recorded,
        event.file_id,
        deltas,
        state="failed",
        error_code=event.error_code,
        error_details=details,
        completed_at=recorded.recorded_at,
    )


def on_upload_undo_requested(
    recorded: RecordedEvent, event: UploadUndoRequested, deltas: Deltas, _: SubjectKeys
) -> None:
    """Show that a ledger is being undone; its state is still the one before."""
    _merge(recorded, event.file_id, deltas, undo_requested_at=recorded.recorded_at)


def on_upload_undone(recorded: RecordedEvent, event: UploadUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Mark a ledger as undone, with what stays."""
    said = msgspec.json.encode(event).decode()
    _merge(recorded, event.file_id, deltas, state="undone", undo=said, undone_at=recorded.recorded_at)


def on_job_failed(recorded: RecordedEvent, event: JobFailed, deltas: Deltas, _: SubjectKeys) -> None:
    """Mark a ledger as failed after the last attempt to read it."""
    if event.kind == "read_upload":
        _merge(
            recorded,
            event.subject,
            deltas,
            state="failed",
            error_code="INTERNAL_ERROR",
            completed_at=recorded.recorded_at,
        )


def on_job_retried(recorded: RecordedEvent, event: JobRetried, deltas: Deltas, _: SubjectKeys) -> None:
    """Mark a failed ledger as pending again."""
    if event.kind == "read_upload":
        _merge(recorded, event.subject, deltas, state="pending")


def _merge(recorded: RecordedEvent, file_id: str, deltas: Deltas, **changes: Any) -> None:  # noqa: ANN401 - a column's value
    deltas.merge(UPLOADS_TABLE, (recorded.business_id, file_id), position=recorded.position, **changes)


def on_receipt_stored(recorded: RecordedEvent, event: ReceiptStored, deltas: Deltas, _: SubjectKeys) -> None:
    """Insert the picture of a receipt, which nobody has read yet."""
    deltas.merge(
        RECEIPTS,
        (recorded.business_id, event.image_id),
        receipt_date=event.receipt_date,
        created_at=recorded.recorded_at,
        position=recorded.position,
    )


UPLOADS = Projection(
    name="uploads",
    version=6,
    package="projections.uploads",
    tables=(UPLOADS_TABLE, RECEIPTS),
    handlers={
        UploadAccepted: on_upload_accepted,
        UploadQuestionsAsked: on_upload_questions_asked,
        UploadAnswered: on_upload_answered,
        SalesBatchRecorded: on_sales_batch_recorded,
        MovementsRecorded: on_movements_recorded,
        UploadCompleted: on_upload_completed,
        UploadFailed: on_upload_failed,
        ReceiptStored: on_receipt_stored,
        UploadUndoRequested: on_upload_undo_requested,
        UploadUndone: on_upload_undone,
        JobFailed: on_job_failed,
        JobRetried: on_job_retried,
    },
    dated=False,
)
