"""GET /data/receipts and /data/receipts/{image_id}: pictures of receipts as they were stored."""

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from psycopg.rows import TupleRow
from starlette.responses import Response

from read_side.http.consistency import await_consistency, retry_until_found
from read_side.http.keyset_pagination import Listed, latest_position
from read_side.http.list_answers import File, answer
from read_side.http.rows import all_rows, first_row, only_row
from read_side.uploads.receipts_schemas import LIST, ONE
from shared.domain.refusals.sales import ReceiptNotFound
from shared.http.app import Page, language, ok, refuses
from shared.http.dependencies import Deps, Owner
from shared.http.pagination import ExportQuery
from shared.postgres.database import reading

router = APIRouter(tags=["Data"])

_COLUMNS = "image_id, receipt_date, created_at, position"
# Selects the receipts of a page and one more, newest first.
SELECT_PAGE = f"""SELECT {_COLUMNS} FROM receipts WHERE business_id = %(business)s AND position < %(before)s
    ORDER BY position DESC OFFSET %(offset)s LIMIT %(rows)s"""  # noqa: S608 - constants
COUNT = "SELECT count(*) FROM receipts WHERE business_id = %(business)s"
# Selects one receipt.
SELECT_RECEIPT = f"SELECT {_COLUMNS} FROM receipts WHERE business_id = %(business)s AND image_id = %(image_id)s"  # noqa: S608 - constants
_FILE = File("receipts", ("created_at", "date", "state", "total", "payment_method", "image_id"))


@router.get("/data/receipts", responses=LIST)
async def list_receipts(request: Request, deps: Deps, who: Owner, query: Annotated[ExportQuery, Query()]) -> Response:
    """Return the pictures of receipts, newest first.

    A picture stays `pending` as long as nothing reads it: its `total` and `lines` are unknown, and it counts nowhere.
    """
    business_id = await await_consistency(request, deps, who, "uploads")

    async def read(page: Page) -> Listed:
        wanted = {"business": business_id, "before": latest_position(deps.positions, business_id, page)}
        async with reading(deps.reader, business_id) as conn:
            rows = await all_rows(conn, SELECT_PAGE, {**wanted, "offset": page.offset, "rows": page.limit + 1})
            (count,) = await only_row(conn, COUNT, wanted)
        shown = rows[: page.limit]
        cursor = deps.positions.seal(business_id, shown[-1][3]) if len(rows) > page.limit else None
        return Listed(count, [_item(row) for row in shown], cursor)

    return await answer(request, query, language(request, who), read, _FILE)


@router.get("/data/receipts/{image_id}", responses=ONE, openapi_extra=refuses(ReceiptNotFound))
async def show_receipt(request: Request, deps: Deps, who: Owner, image_id: str) -> Response:
    """Return one picture of a receipt."""
    known_id = _uuid(image_id)
    business_id = await await_consistency(request, deps, who, "uploads")

    async def read() -> TupleRow | None:
        async with reading(deps.reader, business_id) as conn:
            return await first_row(conn, SELECT_RECEIPT, {"business": business_id, "image_id": known_id})

    row = await retry_until_found(read)
    if row is None:
        raise ReceiptNotFound(details={"id": image_id})
    return ok(_item(row))


def _item(row: TupleRow) -> dict[str, Any]:
    image_id, date, created_at, _ = row
    return {
        "image_id": str(image_id),
        "state": "pending",
        "is_verified": False,
        "date": date and str(date),
        "total": None,
        "payment_method": None,
        "lines": [],
        "confidence": None,
        "created_at": created_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ReceiptNotFound(details={"id": text[:64]}) from None
