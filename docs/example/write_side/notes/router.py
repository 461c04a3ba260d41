"""Commands on a shop's notes over HTTP."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import Response

from shared.http.answers import answers
from shared.http.commands import OwnerCommand, Respond
from shared.http.fields import printable
from write_side.notes import handlers

router = APIRouter(tags=["Notes"])


class NewNote(BaseModel):
    """A note of at most 200 characters."""

    text: Annotated[str, BeforeValidator(printable), Field(min_length=1, max_length=200, examples=["Order more tea"])]


class AddedNote(NewNote):
    """A note and its id."""

    id: int


ADDED = answers(AddedNote, {"id": 1, "text": "Order more tea"}, "Added", status=201)


@router.post("/notes", status_code=201, responses=ADDED)
def add_note(ctx: OwnerCommand, respond: Respond, form: NewNote) -> Response:
    """Add a note."""
    return respond(handlers.add_note(ctx, form.text), status=201)
