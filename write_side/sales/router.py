"""Ledgers and receipts come in here; what was wrong with a ledger's rows goes out again."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from shared.bearer import command_context, language, owner
from shared.envelope import ok
from shared.errors import InvalidRequest, UploadNotFound
from shared.event_store import EventStore, Metadata, Unit
from shared.events.base import Event
from shared.events.sales import ReceiptStored, UploadAccepted
from shared.texts import catalogue
from shared.tokens import Principal
from write_side.sales import aggregate
from write_side.sales.csv_rows import errors_csv
from write_side.sales.intake import Intake, too_large
from write_side.sales.multipart import read_form
from write_side.sales.pictures import Picture, read_picture
from write_side.sales.quotas import insist_on_quota
from write_side.sales.rejections import rejections
from write_side.sales.uploads import estimated_seconds, insist_on_ledger

MAX_CSV_BYTES = 10_485_760
MAX_IMAGE_BYTES = 5_242_880
_FORM_OVERHEAD = 64 * 1024
_RECEIPT_SECONDS = 10

router = APIRouter(tags=["Data"])
Owner = Annotated[Principal, Depends(owner)]

_UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "CSV, at most 10 MB"},
                        "data_source_name": {"type": "string", "maxLength": 255, "examples": ["May 2025 Sales"]},
                    },
                }
            }
        },
    }
}
_RECEIPT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["image"],
                    "properties": {
                        "image": {"type": "string", "format": "binary", "description": "JPG or PNG, at most 5 MB"},
                        "receipt_date": {"type": "string", "format": "date"},
                    },
                }
            }
        },
    }
}
_UPLOAD_ANSWER: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "Accepted; the file is being read. X-Event-Position says from where to read on.",
        "content": {
            "application/json": {
                "example": {
                    "status": "pending",
                    "data": {
                        "message": "Processing file...",
                        "file_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
                        "file_name": "sales_may_2025.csv",
                        "rows_detected": 156,
                        "estimated_processing_time": 1,
                    },
                    "timestamp": "2025-11-03T10:30:00Z",
                    "request_id": "2f3c0e7f-6f0e-4a53-9a53-0f1d6a0f2a11",
                }
            }
        },
    }
}


@router.post("/data/upload-csv", status_code=202, openapi_extra=_UPLOAD_BODY, responses=_UPLOAD_ANSWER)
async def upload_csv(
    request: Request,
    who: Owner,
    dedupe: Annotated[Literal["on", "off"], Query(description="`off` imports twins of known rows on purpose")] = "on",
    date_order: Annotated[
        Literal["dmy", "mdy", "ymd"] | None, Query(description="how to read dates such as 03/04/2025")
    ] = None,
) -> Response:
    """Take a sales ledger: Date, Product, Quantity, Amount[, Customer][, Payment Method]; a worker reads it."""
    meta = command_context(request, who)
    intake, form = await _receive(request, who, "file", MAX_CSV_BYTES)
    try:
        insist_on_ledger(intake.head)
        event = UploadAccepted(
            file_id=str(intake.file_id), file_name=intake.file_name, data_source_name=source_name(form),
            size=intake.size, sha256=intake.sha256, rows_detected=intake.rows_detected(), dedupe=dedupe == "on",
            date_order=date_order,
        )  # fmt: skip
        limited = request.app.state.settings.rate_limits
        answer = await run_in_threadpool(_accept, request.app.state.store, who, meta, event, limited=limited)
    except Exception:
        await run_in_threadpool(request.app.state.files.delete, who.business_id, intake.file_id)
        raise
    result, position = answer
    if result["file_id"] != event.file_id:
        await run_in_threadpool(request.app.state.files.delete, who.business_id, intake.file_id)
    token = request.app.state.positions.seal(who.business_id, position) if position else None
    texts = catalogue()["UPLOAD_PENDING"][language(request, who)]
    return ok({"message": texts.message, **result}, status=202, position=token, headers={
        "Location": f"/api/data/uploads/{result['file_id']}",
    })  # fmt: skip


@router.post("/data/upload-receipt", status_code=202, openapi_extra=_RECEIPT_BODY)
async def upload_receipt(request: Request, who: Owner) -> Response:
    """Take the picture of a receipt and keep it, without what cameras add to pictures."""
    meta = command_context(request, who)
    picture = await _picture(request)
    files = request.app.state.files
    image_id = uuid.uuid4()
    event = ReceiptStored(
        str(image_id), picture.media_type, len(picture.data), hashlib.sha256(picture.data).hexdigest(), picture.date
    )

    def keep() -> tuple[dict[str, Any], int | None]:
        put = files.writer(who.business_id or 0, image_id)
        put(0, picture.data)
        answer = {"image_id": str(image_id), "estimated_processing_time": _RECEIPT_SECONDS}
        return _append(request.app.state.store, who, meta, f"receipt-{image_id}", event, answer)

    result, position = await run_in_threadpool(keep)
    texts = catalogue()["RECEIPT_PENDING"][language(request, who)]
    token = request.app.state.positions.seal(who.business_id, position) if position else None
    return ok({"message": texts.message, **result}, status=202, position=token)


@router.get("/data/uploads/{file_id}/errors.csv", response_class=StreamingResponse)
def upload_errors(request: Request, who: Owner, file_id: str) -> Response:
    """Return the rejected rows with row, column, value, code, message and fix, then the row's own cells."""
    store: EventStore = request.app.state.store
    known = _uuid(file_id)
    upload = aggregate.load(store.load(aggregate.stream_of(str(known))))
    if upload is None or upload.business_id != who.business_id:
        raise UploadNotFound
    kept = store.execute(who.business_id, Metadata(), lambda unit: list(rejections(unit, known))).result
    header = kept[0].header if kept else []
    rows = (row for part in kept for row in part.rows)
    lines = errors_csv(rows, header, language(request, who), _row_texts)
    return StreamingResponse(
        _with_bom(lines),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="errors-{known}.csv"', "Cache-Control": "no-store"},
    )


def _insist_on_length(request: Request, limit: int) -> None:
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit + _FORM_OVERHEAD:
        raise too_large(limit)


async def _receive(request: Request, who: Principal, part: str, limit: int) -> tuple[Intake, dict[str, str]]:
    _insist_on_length(request, limit)
    files = request.app.state.files
    intake_id = uuid.uuid4()
    put = await run_in_threadpool(files.writer, who.business_id or 0, intake_id)
    intake = Intake(intake_id, put, limit)
    try:
        form = await read_form(request, part, intake)
        await intake.finish()
    except Exception:
        await run_in_threadpool(files.delete, who.business_id or 0, intake_id)
        raise
    return intake, form


async def _picture(request: Request) -> Picture:
    _insist_on_length(request, MAX_IMAGE_BYTES)
    small = SmallIntake(MAX_IMAGE_BYTES)
    form = await read_form(request, "image", small)
    given = form.get("receipt_date", "").strip()
    try:
        date = dt.date.fromisoformat(given if _DATE.fullmatch(given) else "") if given else None
    except ValueError as error:
        raise invalid_field("receipt_date", "date_parsing", Phrase("FIELD_NOT_DATE")) from error
    return read_picture(bytes(small.data), date)


def _accept(
    store: EventStore, who: Principal, meta: Metadata, event: UploadAccepted, *, limited: bool
) -> tuple[dict[str, Any], int | None]:
    answer = {
        "file_id": event.file_id,
        "file_name": event.file_name,
        "rows_detected": event.rows_detected,
        "estimated_processing_time": estimated_seconds(event.rows_detected),
    }

    def decide(unit: Unit) -> dict[str, Any]:
        if limited:
            insist_on_quota(unit)
        unit.append(aggregate.stream_of(event.file_id), 0, event)
        return answer

    same = hashlib.sha256(f"{event.sha256}\0{event.dedupe}\0{event.date_order}".encode()).digest()
    outcome = store.execute(who.business_id, meta, decide, request_hash=same)
    return outcome.result, outcome.position


def _append(
    store: EventStore, who: Principal, meta: Metadata, stream: str, event: Event, answer: dict[str, Any]
) -> tuple[dict[str, Any], int | None]:
    def decide(unit: Unit) -> dict[str, Any]:
        unit.append(stream, 0, event)
        return answer

    same = hashlib.sha256(f"{event.topic}\0{getattr(event, 'sha256', '')}".encode()).digest()
    outcome = store.execute(who.business_id, meta, decide, request_hash=same)
    return outcome.result, outcome.position


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise UploadNotFound from error


def _row_texts(code: str, wanted: str) -> tuple[str, str]:
    texts = catalogue()[code]["bn" if wanted == "bn" else "en"]
    return texts.message, " ".join(texts.suggestions)


def _with_bom(lines: Iterator[str]) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf"
    for line in lines:
        yield line.encode("utf-8", "replace")
