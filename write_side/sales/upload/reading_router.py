"""Preview of a ledger, and the owner's answers to the questions of an upload that waits."""

import uuid
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from shared.domain.refusals.sales import InvalidCsvFormat, UploadNotFound, UploadNotWaiting
from shared.errors import Refusal
from shared.eventstore.store import Metadata, UnitOfWork
from shared.http.auth import language as language_of
from shared.http.commands import OwnerCommand, Respond
from shared.http.dependencies import Deps, Owner
from shared.http.fields import Body
from shared.http.openapi import refuses
from shared.http.responses import ok
from shared.texts import Language
from write_side.sales import catalog
from write_side.sales.aggregate import layout_key
from write_side.sales.corrections import doubtful
from write_side.sales.csv.layout import SHEET
from write_side.sales.csv.ledger import open_ledger, open_table
from write_side.sales.csv.people import KnownPerson
from write_side.sales.csv.profile import TooManyRows
from write_side.sales.csv.table import NoLedger
from write_side.sales.lookups import has_sales, known_phones
from write_side.sales.upload.accept import refusal_of
from write_side.sales.upload.answers import answer_upload
from write_side.sales.upload.limits import MAX_CSV_BYTES, insist_on_length
from write_side.sales.upload.mapping import (
    ANSWERS,
    ANSWERS_SCHEMA,
    MAPPING,
    SCHEMA,
    Sheet,
    checked_answers,
    checked_mapping,
    chosen_sheet,
    column_mapping,
    given_answers,
)
from write_side.sales.upload.memory import remembered, with_remembered
from write_side.sales.upload.multipart import read_form
from write_side.sales.upload.preview import preview, remembered_options
from write_side.sales.upload.schemas import ANSWERED, PREVIEW
from write_side.sales.upload.stream import SmallIntake
from write_side.sales.upload.template import TemplateFormat, template

router = APIRouter(tags=["Data"])

_MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_TEMPLATE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The template as a file",
        "content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", _MEDIA_TYPES["xlsx"])},
    }
}
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "A ledger, at most 10 MB"},
        MAPPING: SCHEMA,
        ANSWERS: ANSWERS_SCHEMA,
    },
}
_REQUEST = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}},
    **refuses(InvalidCsvFormat),
}


class TooManyLedgerRows(Refusal):
    """The ledger has more than 250,000 rows."""

    error_code = "TOO_MANY_ROWS"
    status = 400


class Answers(Body):
    """Answers to the questions of a waiting upload, and columns that hold a field."""

    answers: dict[str, str] = Field(
        default_factory=dict, description="Value of an answer by question", examples=[{"DATE_ORDER": "dmy"}]
    )
    mapping: dict[str, str] = Field(default_factory=dict, examples=[{"amount": "Total"}])


@router.post("/data/preview", responses=PREVIEW, openapi_extra=_REQUEST)
async def preview_ledger(
    request: Request,
    deps: Deps,
    who: Owner,
    date_order: Annotated[
        Literal["dmy", "mdy", "ymd"] | None, Query(description="how to read dates such as 03/04/2025")
    ] = None,
    sheet: Sheet = None,
) -> Response:
    """Read a whole ledger without recording anything.

    Returns format, columns with the evidence for each, the first 50 rows raw and as read, what would be created, left
    out or rejected and why, the sums in taka, warnings, and the questions that an upload would wait for, each with what
    the ledger adds up to for every answer.
    """
    insist_on_length(request, MAX_CSV_BYTES)
    small = _NamedIntake(MAX_CSV_BYTES)
    form = await read_form(request, "file", small)
    answers = given_answers(form) | ({"DATE_ORDER": date_order} if date_order else {}) | chosen_sheet(sheet)
    mapping = column_mapping(form)
    wanted = language_of(request, who)

    def read() -> dict[str, Any]:
        return _previewed(deps, who.business_id or 0, small, mapping, answers, wanted)

    return ok(await run_in_threadpool(read))


@router.post(
    "/data/uploads/{file_id}/answers",
    status_code=202,
    responses=ANSWERED,
    openapi_extra=refuses(UploadNotFound, UploadNotWaiting),
)
def answer_questions(ctx: OwnerCommand, respond: Respond, file_id: str, form: Answers) -> Response:
    """Answer the questions of an upload that waits; it is read again, and waits again for what is still open."""
    try:
        known = str(uuid.UUID(file_id))
    except ValueError:
        raise UploadNotFound from None
    result = answer_upload(ctx, known, checked_answers(form.answers), checked_mapping(form.mapping))
    message = respond.message("UPLOAD_PENDING")
    return respond(
        result,
        status=202,
        shown=lambda data: {"message": message, **data},
        headers={"Location": f"/api/data/uploads/{known}"},
    )


@router.get("/data/template", response_class=Response, responses=_TEMPLATE)
def ledger_template(
    who: Owner,
    format: Annotated[TemplateFormat, Query(description="Kind of file")] = "csv",  # noqa: A002 - the parameter's name
    language: Annotated[Language, Query(description="Language of the columns")] = "bn",
) -> Response:
    """Return an empty ledger with the documented columns and two example rows."""
    del who
    headers = {"Content-Disposition": f'attachment; filename="smartmarket-{language}.{format}"'}
    return Response(template(format, language), media_type=_MEDIA_TYPES[format], headers=headers)


class _NamedIntake(SmallIntake):
    """Holds one small file in memory, with what the client calls it."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.file_name = ""

    def begin(self, file_name: str) -> None:
        self.file_name = file_name


def _previewed(
    deps: Deps,
    business_id: int,
    file: _NamedIntake,
    mapping: dict[str, str],
    answers: dict[str, str],
    wanted: Language,
) -> dict[str, Any]:
    data = bytes(file.data)
    mark = catalog.marking(deps.store.master.lookup_key, business_id)

    def earlier(unit: UnitOfWork) -> dict[str, dict[str, str]]:
        known = remembered(unit, layout_key(header))
        return remembered_options(known.answers, known.mapping)

    def phones(numbers: Collection[str]) -> Mapping[str, KnownPerson]:
        return deps.store.execute(business_id, Metadata(), lambda unit: known_phones(unit, numbers)).result

    def look(unit: UnitOfWork) -> dict[str, Any]:
        return preview(unit, ledger, doubt, unit.now, mark, file.file_name, wanted) | {"remembered": known}

    try:
        header = open_table(lambda: _pieces(data), mapping, answers.get(SHEET, "")).header
        known = deps.store.execute(business_id, Metadata(), earlier).result
        chosen = with_remembered(mapping, known["mapping"], header)
        ledger = open_ledger(
            lambda: _pieces(data), answers=answers, mapping=chosen, known=known["answers"], phones=phones
        )
        now, former = deps.store.execute(business_id, Metadata(), lambda unit: (unit.now, has_sales(unit))).result
        doubt = None
        if former:
            doubt = doubtful(deps.store, business_id, ledger.items(ledger.reader(now, mark, former=True)))
        return deps.store.execute(business_id, Metadata(), look).result
    except NoLedger as found:
        raise refusal_of(found) from found
    except TooManyRows as error:
        raise TooManyLedgerRows from error


def _pieces(data: bytes, size: int = 65_536) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))
