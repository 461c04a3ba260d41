"""GET /data/uploads and /data/uploads/{file_id}: state and results of uploads."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from psycopg.rows import TupleRow
from starlette.responses import Response

from read_side.http.consistency import await_consistency, retry_until_found
from read_side.http.keyset_pagination import Listed, latest_position
from read_side.http.list_answers import File, answer
from read_side.http.rows import first_row, only_row
from read_side.uploads.presenter import undo_shown
from read_side.uploads.schemas import LIST, ONE
from shared.domain.presentation import ledgers
from shared.domain.refusals.sales import UploadNotFound
from shared.http.app import Page, language, ok, refuses
from shared.http.dependencies import Deps, Owner
from shared.http.pagination import ExportQuery
from shared.postgres.database import reading
from shared.texts import Language, catalogue, text

router = APIRouter(tags=["Data"])

_ITEM = """file_id, file_name, data_source_name, state,
    coalesce(rows, created + duplicates + rejected + left_out) AS rows, created, duplicates, rejected, left_out,
    CASE WHEN state IN ('completed', 'undone') THEN 1 ELSE trim_scale(least(1, coalesce(
        round((created + duplicates + rejected + left_out)::numeric / nullif(rows_detected, 0), 4), 0))) END
        AS progress,
    to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at,
    CASE WHEN state IN ('completed', 'failed', 'undone')
        THEN to_char(completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END AS completed_at"""
# Selects the uploads of a page as a JSON array, newest first, the position of the last one if more follow, and the
# number of all.
SELECT_PAGE = f"""WITH page AS MATERIALIZED (
    SELECT * FROM uploads WHERE business_id = %(business)s AND accepted < %(before)s
    ORDER BY accepted DESC OFFSET %(offset)s LIMIT %(rows)s)
SELECT coalesce((SELECT json_agg(item) FROM
        (SELECT {_ITEM} FROM page ORDER BY accepted DESC LIMIT %(limit)s) AS item), '[]')::text,
    (SELECT min(accepted) FROM (SELECT accepted FROM page ORDER BY accepted DESC LIMIT %(limit)s) AS shown
        HAVING (SELECT count(*) FROM page) > %(limit)s),
    (SELECT count(*) FROM uploads WHERE business_id = %(business)s)"""  # noqa: S608 - constants
# Selects one upload as a JSON object, its warnings, error and open questions, the position of its last event, and
# how it was undone.
SELECT_UPLOAD = f"""SELECT (SELECT to_json(item) FROM (SELECT {_ITEM}) AS item)::text, warnings,
    CASE WHEN state = 'failed' THEN error_code END, error_details,
    CASE WHEN state = 'waiting' THEN questions END, position, undo,
    to_char(undo_requested_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    to_char(undone_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM uploads WHERE business_id = %(business)s AND file_id = %(file_id)s"""  # noqa: S608 - constants


_FILE = File(
    "uploads",
    (
        "created_at",
        "file_name",
        "data_source_name",
        "state",
        "rows",
        "created",
        "duplicates",
        "rejected",
        "left_out",
        "completed_at",
        "file_id",
    ),
)


@router.get("/data/uploads", responses=LIST)
async def list_uploads(request: Request, deps: Deps, who: Owner, query: Annotated[ExportQuery, Query()]) -> Response:
    """Return uploads, newest first."""
    business_id = await await_consistency(request, deps, who, "uploads")

    async def read(page: Page) -> Listed:
        parameters = {
            "business": business_id,
            "before": latest_position(deps.positions, business_id, page),
            "offset": page.offset,
            "limit": page.limit,
            "rows": page.limit + 1,
        }
        async with reading(deps.reader, business_id) as conn:
            results, last, count = await only_row(conn, SELECT_PAGE, parameters)
        return Listed(count, results, None if last is None else deps.positions.seal(business_id, last))

    return await answer(request, query, language(request, who), read, _FILE)


@router.get("/data/uploads/{file_id}", responses=ONE, openapi_extra=refuses(UploadNotFound))
async def show_upload(request: Request, deps: Deps, who: Owner, file_id: str) -> Response:
    """Return one upload.

    `state` is pending, processing, waiting, completed, failed or undone; `rows` = created + duplicates + rejected +
    left_out, so far while it is read; `progress` goes from 0 to 1. `error` says why it failed, `questions` what a
    waiting one waits for: see POST /data/uploads/{file_id}/answers; `undo` what an undone one left behind.
    """
    known_id = _uuid(file_id)
    business_id = await await_consistency(request, deps, who, "uploads")

    async def read() -> TupleRow | None:
        async with reading(deps.reader, business_id) as conn:
            return await first_row(conn, SELECT_UPLOAD, {"business": business_id, "file_id": known_id})

    row = await retry_until_found(read)
    if row is None:
        raise UploadNotFound
    upload, warnings, error_code, error_details, questions, position, undo, requested_at, undone_at = row
    wanted = language(request, who)
    more = {
        "warnings": [ledgers.warning(code, values, wanted) for code, values in orjson.loads(warnings or "[]")],
        "questions": [_question(question, wanted) for question in orjson.loads(questions or "[]")],
        "error": error_code and _error(error_code, orjson.loads(error_details or "{}"), wanted),
        "undo": requested_at and undo_shown(undo and orjson.loads(undo), requested_at, undone_at, wanted),
    }
    token = deps.positions.seal(business_id, position)
    return ok(orjson.loads(upload) | more, position=token)


def _uuid(file_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(file_id)
    except ValueError:
        raise UploadNotFound from None


def _question(question: Sequence[Any], wanted: Language) -> dict[str, Any]:
    code, columns, rows, values, choices = question
    return ledgers.question(code, columns, rows, values, choices, wanted)


def _error(code: str, details: Mapping[str, Any], wanted: Language) -> dict[str, Any]:
    """Return why an upload failed, with the text of the refusal that has this code."""
    params = {name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in details.items()}
    reason = str(details.get("reason", "")).upper()
    key = f"{code}_{reason}" if f"{code}_{reason}" in catalogue() else code
    key = f"{code}_COLUMNS" if key == code and details.get("missing") else key
    message, suggestions = text(key if key in catalogue() else "INTERNAL_ERROR", wanted, **params)
    return {"code": code, "message": message, "details": details, "suggestions": suggestions}
