"""Replays over HTTP."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from shared.errors import TooManyReplays
from shared.http.auth import language
from shared.http.dependencies import Deps, Owner
from shared.http.error_handlers import invalid_field
from shared.http.openapi import refuses
from shared.http.responses import ok
from shared.texts import Phrase, catalogue
from write_side.admin.replays_handlers import request_replay
from write_side.admin.schemas import REPLAY_ACCEPTED

router = APIRouter(tags=["Time travel"])
_LEEWAY = dt.timedelta(minutes=5)
_EARLIEST = dt.date(2000, 1, 1)
_DATE_LENGTH = len("2025-11-03")
_FIELD = "as_of"


class ReplayRequest(BaseModel):
    """The moment to replay to."""

    model_config = ConfigDict(extra="forbid")

    as_of: Annotated[
        str, Field(max_length=40, description="An ISO instant, or a date: its end in Dhaka", examples=["2025-11-03"])
    ]


@router.post("/replays", status_code=202, responses=REPLAY_ACCEPTED, openapi_extra=refuses(TooManyReplays))
def ask_for_replay(request: Request, who: Owner, deps: Deps, form: ReplayRequest) -> Response:
    """Prepare the shop as it was known at an earlier moment; any GET with `X-Replay: id` then answers from it.

    An owner has one replay at a time, for 30 minutes; asking again ends the one before.
    """
    answer = request_replay(deps.store, who, _as_of(form.as_of))
    texts = catalogue()["REPLAY_PENDING"][language(request, who)]
    headers = {"Location": f"/api/replays/{answer['id']}"}
    return ok({"message": texts.message, **answer}, status=202, headers=headers)


def _as_of(text: str) -> dt.date | dt.datetime:
    found: dt.date | dt.datetime
    try:
        found = dt.date.fromisoformat(text) if len(text) == _DATE_LENGTH else dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid_field(_FIELD, "date_parsing", Phrase("FIELD_NOT_DATE")) from error
    now = dt.datetime.now(dt.timezone(dt.timedelta(hours=6)))
    day = found.date() if isinstance(found, dt.datetime) else found
    ahead = (
        isinstance(found, dt.datetime) and (found if found.tzinfo else found.replace(tzinfo=now.tzinfo)) > now + _LEEWAY
    )
    if not _EARLIEST <= day <= now.date() or ahead:
        known = {"earliest": str(_EARLIEST), "latest": str(now.date())}
        raise invalid_field(_FIELD, "date_out_of_range", Phrase("FIELD_DATE_OUT_OF_RANGE", known))
    return found
