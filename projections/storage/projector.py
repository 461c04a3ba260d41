"""The files that a shop keeps, and how large they are."""

from projections.engine.deltas import Deltas, Table
from projections.engine.projection import Projection
from shared.domain.events.sales import ReceiptStored, UploadAccepted
from shared.domain.events.storage import FileDeleted
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.vault import SubjectKeys

FILES = Table(
    "stored_files",
    ("business_id", "file_id"),
    changes={"kind": "set", "size": "set", "stored_at": "set", "deleted_at": "set", "position": "set"},
)


def on_upload_accepted(recorded: RecordedEvent, event: UploadAccepted, deltas: Deltas, _: SubjectKeys) -> None:
    """Keep a ledger."""
    _keep(recorded, event.file_id, "ledger", event.size, deltas)


def on_receipt_stored(recorded: RecordedEvent, event: ReceiptStored, deltas: Deltas, _: SubjectKeys) -> None:
    """Keep the picture of a receipt."""
    _keep(recorded, event.image_id, "receipt", event.size, deltas)


def on_file_deleted(recorded: RecordedEvent, event: FileDeleted, deltas: Deltas, _: SubjectKeys) -> None:
    """Mark a file as deleted."""
    key = (recorded.business_id, event.file_id)
    deltas.merge(FILES, key, position=recorded.position, deleted_at=recorded.recorded_at)


def _keep(recorded: RecordedEvent, file_id: str, kind: str, size: int, deltas: Deltas) -> None:
    key = (recorded.business_id, file_id)
    deltas.merge(FILES, key, position=recorded.position, kind=kind, size=size, stored_at=recorded.recorded_at)


STORAGE = Projection(
    name="storage",
    version=1,
    package="projections.storage",
    tables=(FILES,),
    handlers={
        UploadAccepted: on_upload_accepted,
        ReceiptStored: on_receipt_stored,
        FileDeleted: on_file_deleted,
    },
)
