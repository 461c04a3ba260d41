"""An upload is taken back over HTTP."""

import uuid

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from shared.domain.refusals.sales import AlreadyUndone, UndoTooLate, UploadNotCompleted, UploadNotFound
from shared.http.commands import OwnerCommand, Respond
from shared.http.openapi import refuses
from write_side.sales.upload.schemas import UNDONE
from write_side.sales.upload.undo import undo_upload

router = APIRouter(tags=["Data"])


class Undo(BaseModel):
    """An empty object."""

    model_config = ConfigDict(extra="forbid")


@router.post(
    "/data/uploads/{file_id}/undo",
    status_code=202,
    responses=UNDONE,
    openapi_extra=refuses(UploadNotFound, UploadNotCompleted, UndoTooLate, AlreadyUndone),
)
def undo(ctx: OwnerCommand, respond: Respond, file_id: str, _: Undo) -> Response:
    """Take back what an upload recorded, within 30 days: sales, returns, cash, stock, and what only it had made.

    A worker does it; then the upload is `undone`, its `undo` says what stays and which forecasts and recommendations
    were made with its rows, and the file can be uploaded again.
    """
    try:
        known = str(uuid.UUID(file_id))
    except ValueError:
        raise UploadNotFound from None
    message = respond.message("UPLOAD_UNDOING")
    return respond(
        undo_upload(ctx, known),
        status=202,
        shown=lambda data: {"message": message, **data},
        headers={"Location": f"/api/data/uploads/{known}"},
    )
