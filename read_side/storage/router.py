"""GET /data/storage: the space that a shop's files take."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from read_side.http.consistency import await_consistency
from read_side.http.rows import only_row
from shared.domain.rules.storage import BYTES_PER_MONTH
from shared.http.answers import answers
from shared.http.app import raw
from shared.http.dependencies import Deps, Owner
from shared.postgres.database import reading

router = APIRouter(tags=["Data"])

# Selects the files that are kept, by kind, and the bytes that were sent in 30 days, as a JSON object.
SELECT_STORAGE = """SELECT json_build_object(
    'files', count(*) FILTER (WHERE deleted_at IS NULL),
    'bytes', coalesce(sum(size) FILTER (WHERE deleted_at IS NULL), 0),
    'ledgers', json_build_object(
        'files', count(*) FILTER (WHERE deleted_at IS NULL AND kind = 'ledger'),
        'bytes', coalesce(sum(size) FILTER (WHERE deleted_at IS NULL AND kind = 'ledger'), 0)),
    'receipts', json_build_object(
        'files', count(*) FILTER (WHERE deleted_at IS NULL AND kind = 'receipt'),
        'bytes', coalesce(sum(size) FILTER (WHERE deleted_at IS NULL AND kind = 'receipt'), 0)),
    'sent_in_30_days', coalesce(sum(size) FILTER (WHERE stored_at > now() - interval '30 days'), 0),
    'limit_in_30_days', %(limit)s::bigint)::text
    FROM stored_files WHERE business_id = %(business)s"""

Bytes = Annotated[int, Field(ge=0, description="Bytes")]


class KeptFiles(BaseModel):
    """Files of one kind."""

    files: int
    bytes: Bytes


class Storage(BaseModel):
    """The files that a shop keeps, and what it sent in 30 days of what it may send."""

    files: int
    bytes: Bytes
    ledgers: KeptFiles
    receipts: KeptFiles
    sent_in_30_days: Bytes
    limit_in_30_days: Bytes


_EXAMPLE = answers(
    Storage,
    {
        "files": 3,
        "bytes": 480_213,
        "ledgers": {"files": 2, "bytes": 237_007},
        "receipts": {"files": 1, "bytes": 243_206},
        "sent_in_30_days": 480_213,
        "limit_in_30_days": BYTES_PER_MONTH,
    },
)


@router.get("/data/storage", responses=_EXAMPLE)
async def show_storage(request: Request, deps: Deps, who: Owner) -> Response:
    """Return how many files the shop keeps and their bytes as they were sent; deleted files do not count."""
    business_id = await await_consistency(request, deps, who, "storage")
    async with reading(deps.reader, business_id) as conn:
        row = await only_row(conn, SELECT_STORAGE, {"business": business_id, "limit": BYTES_PER_MONTH})
    return raw(row[0].encode())
