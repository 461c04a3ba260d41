"""Ledgers and receipts come in here; what was wrong with a ledger's rows goes out again."""

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from shared.domain.events.sales import UploadAccepted
from shared.domain.refusals.sales import (
    AlreadyUndone,
    InvalidCsvFormat,
    InvalidImageFormat,
    TooManyUploads,
    UndoTooLate,
    UploadNotCompleted,
    UploadNotFound,
)
from shared.errors import Refusal
from shared.eventstore.files import Files
from shared.eventstore.store import Metadata, UnitOfWork
from shared.http.auth import command_context, language
from shared.http.dependencies import Dependencies, Deps, Owner
from shared.http.error_handlers import invalid_field
from shared.http.openapi import refuses
from shared.http.responses import ok
from shared.http.tokens import Principal
from shared.texts import Phrase, catalogue
from write_side.sales import aggregate
from write_side.sales.csv.layout import SHEET
from write_side.sales.upload.accept import (
    Answer,
    accept,
    insist_on_mapped,
    keeping,
    looks_like_ledger,
    source_name,
    store_receipt,
)
from write_side.sales.upload.limits import MAX_CSV_BYTES, MAX_IMAGE_BYTES, announced, insist_on_length
from write_side.sales.upload.mapping import (
    ANSWERS,
    ANSWERS_SCHEMA,
    MAPPING,
    SCHEMA,
    Sheet,
    chosen_sheet,
    column_mapping,
    given_answers,
)
from write_side.sales.upload.multipart import read_form
from write_side.sales.upload.pictures import Picture, read_picture
from write_side.sales.upload.quotas import LEDGERS, RECEIPTS, Quota, judge_quota
from write_side.sales.upload.rejections import Rejections, errors_csv, rejections
from write_side.sales.upload.schemas import RECEIPT_ANSWER, UPLOAD_ANSWER
from write_side.sales.upload.stream import Intake, SmallIntake

_BLOCK_BYTES = 64 * 1024
_RECEIPT_DATE = "receipt_date"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


router = APIRouter(tags=["Data"])


def _form(properties: dict[str, Any], required: str, *refusals: type[Refusal]) -> dict[str, Any]:
    schema = {"type": "object", "required": [required], "properties": properties}
    body = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return {"requestBody": body, **refuses(*refusals)}


_UPLOAD = _form(
    {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "CSV, .xlsx, .xls, .ods or an HTML table, at most 10 MB",
        },
        "data_source_name": {"type": "string", "maxLength": 255, "examples": ["May 2025 Sales"]},
        MAPPING: SCHEMA,
        ANSWERS: ANSWERS_SCHEMA,
    },
    "file",
    InvalidCsvFormat,
    TooManyUploads,
    UploadNotFound,
    UploadNotCompleted,
    UndoTooLate,
    AlreadyUndone,
)
_RECEIPT = _form(
    {
        "image": {"type": "string", "format": "binary", "description": "JPG or PNG, at most 5 MB"},
        "receipt_date": {"type": "string", "format": "date", "examples": ["2025-11-03"]},
    },
    "image",
    InvalidImageFormat,
)
_REPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The rejected rows; column names only if there are none",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "row,column,value,code,message,fix,Date,Product,Quantity,Amount\r\n"
                "3,Quantity,0,QUANTITY_OUT_OF_RANGE,"
                '"The quantity is not between 1 and 1,000.",'
                '"Correct the quantity, or split a larger sale over several rows.",2025-10-01,Shirt,0,600\r\n',
            }
        },
    }
}


@router.post("/data/upload-csv", status_code=202, openapi_extra=_UPLOAD, responses=UPLOAD_ANSWER)
async def upload_csv(
    request: Request,
    who: Owner,
    state: Deps,
    dedupe: Annotated[Literal["on", "off"], Query(description="`off` imports twins of known rows on purpose")] = "on",
    date_order: Annotated[
        Literal["dmy", "mdy", "ymd"] | None, Query(description="how to read dates such as 03/04/2025")
    ] = None,
    sheet: Sheet = None,
    replace: Annotated[
        uuid.UUID | None, Query(description="an upload of at most 30 days ago that is undone before this one counts")
    ] = None,
) -> Response:
    """Take a sales ledger in any layout that POST /data/preview understands; a worker reads it.

    An upload with an open question about money, dates or identity waits for its answer, see
    POST /data/uploads/{file_id}/answers; until then the one that it replaces still counts.
    """
    meta = command_context(request, who)
    await _judge(request, who, state, meta, LEDGERS)
    intake, form = await _receive(request, state.files, who, "file", MAX_CSV_BYTES)

    def record() -> Answer:
        answers = given_answers(form) | chosen_sheet(sheet)
        mapping, table = insist_on_mapped(
            state.store, who, intake.head, intake.chunks, column_mapping(form), answers.get(SHEET, "")
        )
        event = UploadAccepted(
            file_id=str(intake.file_id),
            file_name=intake.file_name,
            data_source_name=source_name(form),
            size=intake.size,
            sha256=intake.sha256,
            rows_detected=intake.rows_detected() if table.height is None else table.height,
            dedupe=dedupe == "on",
            date_order=date_order,
            mapping=mapping,
            answers=answers,
            layout=aggregate.layout_key(table.header),
            replaces=None if replace is None else str(replace),
        )
        intake.store_rest()
        return accept(state.store, who, meta, event, limited=state.settings.rate_limits)

    result, position = await run_in_threadpool(keeping, state.files, who, intake.file_id, record)
    token = state.positions.seal(who.business_id, position) if position else None
    texts = catalogue()["UPLOAD_PENDING"][language(request, who)]
    return ok(
        {"message": texts.message, **result},
        status=202,
        position=token,
        headers={
            "Location": f"/api/data/uploads/{result['file_id']}",
        },
    )


@router.post("/data/upload-receipt", status_code=202, openapi_extra=_RECEIPT, responses=RECEIPT_ANSWER)
async def upload_receipt(request: Request, who: Owner, state: Deps) -> Response:
    """Take the picture of a receipt and keep it, without what cameras add to pictures."""
    meta = command_context(request, who)
    await _judge(request, who, state, meta, RECEIPTS)
    picture = await _picture(request)
    image_id = uuid.uuid4()

    def record() -> Answer:
        state.files.writer(who.business_id or 0, image_id)(0, picture.data)
        limited = state.settings.rate_limits
        return keeping(
            state.files,
            who,
            image_id,
            lambda: store_receipt(state.store, who, meta, picture, image_id, limited=limited),
        )

    result, position = await run_in_threadpool(record)
    texts = catalogue()["RECEIPT_PENDING"][language(request, who)]
    token = state.positions.seal(who.business_id, position) if position else None
    return ok({"message": texts.message, **result}, status=202, position=token)


# Returns whose upload begins a stream.
SELECT_SENDER = "SELECT business_id FROM log.events WHERE originator_id = %s AND originator_version = 1"


@router.get("/data/uploads/{file_id}/errors.csv", response_class=StreamingResponse, responses=_REPORT)
def upload_errors(request: Request, who: Owner, deps: Deps, file_id: str) -> Response:
    """Return the rejected rows with row, column, value, code, message and fix, then the row's own cells."""
    known = _uuid(file_id)

    def find(unit: UnitOfWork) -> tuple[Rejections, Iterator[Rejections]]:
        sender = unit.sql(SELECT_SENDER, (aggregate.stream_of(str(known)),))
        if sender != [{"business_id": who.business_id}]:
            raise UploadNotFound
        parts = rejections(unit, known)
        return next(parts, Rejections([], [])), parts

    # All parts are read by now, still sealed; they are opened one after the other while the answer is sent.
    first, further = deps.store.execute(who.business_id, Metadata(), find).result
    rows = (row for part in chain([first], further) for row in part.rows)
    lines = errors_csv(rows, first.header, language(request, who), _row_texts)
    return StreamingResponse(
        _blocks(lines),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="errors-{known}.csv"', "Cache-Control": "no-store"},
    )


async def _judge(request: Request, who: Principal, state: Dependencies, meta: Metadata, quota: Quota) -> None:
    """Refuse a body before it is read: by the size it announces and by the shop's quota."""
    insist_on_length(request, MAX_CSV_BYTES if quota is LEDGERS else MAX_IMAGE_BYTES)
    if state.settings.rate_limits:
        await run_in_threadpool(judge_quota, state.store, who.business_id, meta, quota, announced(request))


async def _receive(
    request: Request, files: Files, who: Principal, part: str, limit: int
) -> tuple[Intake, dict[str, str]]:
    intake = Intake(uuid.uuid4(), partial(files.writer, who.business_id or 0), limit, looks_like_ledger)
    try:
        return intake, await read_form(request, part, intake)
    except Exception:
        if intake.has_stored:
            await run_in_threadpool(files.delete, who.business_id or 0, intake.file_id)
        raise


async def _picture(request: Request) -> Picture:
    small = SmallIntake(MAX_IMAGE_BYTES)
    form = await read_form(request, "image", small)
    given = form.get(_RECEIPT_DATE, "").strip()
    try:
        date = dt.date.fromisoformat(given if _DATE.fullmatch(given) else "") if given else None
    except ValueError as error:
        raise invalid_field(_RECEIPT_DATE, "date_parsing", Phrase("FIELD_NOT_DATE")) from error
    return await run_in_threadpool(read_picture, bytes(small.data), date)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise UploadNotFound from error


def _row_texts(code: str, wanted: str) -> tuple[str, str]:
    texts = catalogue()[code]["bn" if wanted == "bn" else "en"]
    return texts.message, " ".join(texts.suggestions)


def _blocks(lines: Iterator[str]) -> Iterator[bytes]:
    block = bytearray(b"\xef\xbb\xbf")  # by which spreadsheets know UTF-8
    for line in lines:
        block += line.encode("utf-8", "replace")
        if len(block) >= _BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block)
