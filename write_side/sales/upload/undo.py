"""Command handler of the undo of an upload."""

from typing import Any

from shared.eventstore.command import CommandContext, Result
from shared.eventstore.store import UnitOfWork
from write_side.sales import aggregate, undo_aggregate


def undo_upload(ctx: CommandContext, file_id: str) -> Result[dict[str, Any]]:
    """Request the undo of an upload; asked for again while it runs, it changes nothing.

    Raises UploadNotFound, UploadNotCompleted, UndoTooLate, AlreadyUndone.
    """

    def request(unit: UnitOfWork) -> dict[str, Any]:
        upload = aggregate.load(unit.load(aggregate.stream_of(file_id)))
        known = undo_aggregate.insist_on_undoable(upload, ctx.business_id, unit.now)
        unit.append(aggregate.stream_of(file_id), known.version, *undo_aggregate.request(known))
        return {"file_id": file_id}

    return ctx.execute(request)
