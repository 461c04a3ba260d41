"""Command handler that deletes a stored file: its rows stay recorded, the file itself is gone."""

import uuid

from shared.domain.events.sales import ReceiptStored
from shared.domain.events.storage import FileDeleted
from shared.domain.refusals.sales import FileInUse, UploadNotFound
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.command import CommandContext, Result
from shared.eventstore.files import Files
from shared.eventstore.store import UnitOfWork
from write_side.sales import aggregate

LEDGER, RECEIPT = "ledger", "receipt"
_STREAMS = {LEDGER: aggregate.stream_of, RECEIPT: "receipt-{}".format}

# Selects whether a ledger is being read or waits to be.
SELECT_OPEN = (
    """SELECT FROM jobs.jobs WHERE kind = 'read_upload' AND subject = %s AND state IN ('pending', 'running')"""
)


def delete_file(ctx: CommandContext, files: Files, kind: str, file_id: uuid.UUID) -> Result[dict[str, object]]:
    """Delete a ledger's or a receipt's file; deleting it again changes nothing.

    Raises UploadNotFound, and FileInUse for a ledger that is still read or waits for answers.
    """
    stream = _STREAMS[kind](str(file_id))

    def delete(unit: UnitOfWork) -> dict[str, object]:
        history = unit.load(stream)
        if not history or history[0].business_id != ctx.business_id:
            raise UploadNotFound
        if not any(isinstance(recorded.event, FileDeleted) for recorded in history):
            if kind == LEDGER and _in_use(unit, str(file_id), history):
                raise FileInUse(details={"file_id": str(file_id)})
            unit.append(stream, history[-1].version, FileDeleted(str(file_id), kind, _size(history[0])))
        return {"file_id": str(file_id), "deleted": True}

    result = ctx.execute(delete)
    files.delete(ctx.business_id or 0, file_id)
    return result


def _in_use(unit: UnitOfWork, file_id: str, history: list[RecordedEvent]) -> bool:
    upload = aggregate.load(history)
    waiting = upload is not None and upload.waiting
    known = len(history) > 1  # one that is no job yet will be in a moment
    return waiting or not known or bool(unit.sql(SELECT_OPEN, (file_id,)))


def _size(recorded: RecordedEvent) -> int:
    event = recorded.event
    size: int = event.size if isinstance(event, ReceiptStored) else getattr(event, "size", 0)
    return size
