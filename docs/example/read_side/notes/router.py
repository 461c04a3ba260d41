"""GET /notes."""

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from read_side.http.consistency import await_consistency
from read_side.http.rows import only_row
from shared.http.answers import answers
from shared.http.app import raw
from shared.http.dependencies import Deps, Owner
from shared.postgres.database import reading

router = APIRouter(tags=["Notes"])
# Selects the latest 100 notes of a business as JSON.
SELECT_LATEST = """SELECT json_build_object('results', coalesce(json_agg(note), '[]'))::text FROM (
    SELECT id, text FROM notes WHERE business_id = %(business)s ORDER BY id DESC LIMIT 100) AS note"""


class Note(BaseModel):
    """A note."""

    id: int
    text: str


class Notes(BaseModel):
    """Notes, latest first."""

    results: list[Note]


@router.get("/notes", responses=answers(Notes, {"results": [{"id": 1, "text": "Order more tea"}]}))
async def list_notes(request: Request, deps: Deps, who: Owner) -> Response:
    """Return the latest 100 notes."""
    business_id = await await_consistency(request, deps, who, "notes")
    async with reading(deps.reader, business_id) as conn:
        (found,) = await only_row(conn, SELECT_LATEST, {"business": business_id})
    return raw(found.encode())
