"""Deletes stored files over HTTP."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from shared.domain.refusals.sales import FileInUse, UploadNotFound
from shared.http.answers import answers
from shared.http.commands import OwnerCommand, Respond
from shared.http.dependencies import Deps
from shared.http.openapi import refuses
from write_side.sales.upload.deletion_handlers import LEDGER, RECEIPT, delete_file

router = APIRouter(tags=["Data"])


class DeletedFile(BaseModel):
    """A file that is gone; what was read from it stays."""

    file_id: UUID
    deleted: Literal[True]


_DELETED = answers(DeletedFile, {"file_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11", "deleted": True})


@router.delete("/data/uploads/{file_id}/file", responses=_DELETED, openapi_extra=refuses(UploadNotFound, FileInUse))
def delete_ledger_file(ctx: OwnerCommand, respond: Respond, deps: Deps, file_id: str) -> Response:
    """Delete the file of a ledger that was read; its sales stay recorded."""
    return respond(delete_file(ctx, deps.files, LEDGER, _uuid(file_id)))


@router.delete("/data/receipts/{image_id}/file", responses=_DELETED, openapi_extra=refuses(UploadNotFound))
def delete_receipt_file(ctx: OwnerCommand, respond: Respond, deps: Deps, image_id: str) -> Response:
    """Delete the picture of a receipt."""
    return respond(delete_file(ctx, deps.files, RECEIPT, _uuid(image_id)))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UploadNotFound from None
