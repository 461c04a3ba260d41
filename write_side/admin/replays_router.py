"""Replays over HTTP."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from shared.domain.refusals.admin import ReplayBeforeShop
from shared.errors import TooManyReplays
from shared.http.auth import language
from shared.http.commands import OwnerCommand
from shared.http.dependencies import Owner
from shared.http.error_handlers import invalid_field
from shared.http.openapi import refuses
from shared.http.responses import ok
from shared.runtime.business_day import DHAKA
from shared.texts import Phrase, catalogue
from write_side.admin.replays_handlers import request_replay
from write_side.admin.schemas import REPLAY_ACCEPTED

router = APIRouter(tags=["Time travel"])
_LEEWAY = dt.timedelta(minutes=5)
_EARLIEST = dt.date(2000, 1, 1)
_DATE_LENGTH = len("2025-11-03")
_KNOWN_AT, _AS_OF, _UNTIL = "known_at", "as_of", "happened_until"
_MOMENT = Field(max_length=40, description="An ISO instant, or a date: its end in Dhaka", examples=["2025-11-03"])


class ReplayRequest(BaseModel):
    """The day to replay to: by when things became known, by when they happened, or by both."""

    model_config = ConfigDict(extra="forbid")

    known_at: Annotated[str, _MOMENT] | None = None
    happened_until: (
        Annotated[str, Field(max_length=10, description="A business date; entries of later dates are left out")] | None
    ) = None
    as_of: Annotated[str, _MOMENT] | None = Field(None, description="The same as `known_at`")


@router.post(
    "/replays", status_code=202, responses=REPLAY_ACCEPTED, openapi_extra=refuses(TooManyReplays, ReplayBeforeShop)
)
def ask_for_replay(request: Request, who: Owner, ctx: OwnerCommand, form: ReplayRequest) -> Response:
    """Prepare the shop as of an earlier day; any GET with `X-Replay: id` then answers from it.

    `known_at` leaves out what was recorded later, `happened_until` what happened on later business dates, by what is
    known at `known_at` (now, unless given): the shop's books of that day. An owner has one replay at a time, for 30
    minutes; asking again ends the one before.
    """
    known_at, happened_until = _clocks(form)
    answer = request_replay(ctx, who.user_id, known_at, happened_until).data
    texts = catalogue()["REPLAY_PENDING"][language(request, who)]
    headers = {"Location": f"/api/replays/{answer['id']}"}
    return ok({"message": texts.message, **answer}, status=202, headers=headers)


def _clocks(form: ReplayRequest) -> tuple[dt.date | dt.datetime | None, dt.date | None]:
    """Return the time of recording and the business date that are wanted; at least one of them."""
    if form.known_at is not None and form.as_of is not None:
        both = {"first": _KNOWN_AT, "second": _AS_OF}
        raise invalid_field(_AS_OF, "not_both", Phrase("FIELD_NOT_BOTH", both))
    name = _KNOWN_AT if form.known_at is not None else _AS_OF
    text = form.known_at if form.known_at is not None else form.as_of
    if text is None and form.happened_until is None:
        raise invalid_field(_KNOWN_AT, "missing", Phrase("FIELD_ONE_NEEDED", {"names": f"{_KNOWN_AT}, {_UNTIL}"}))
    known_at = None if text is None else _passed(name, text)
    until = None if form.happened_until is None else _passed(_UNTIL, form.happened_until, date_only=True)
    return known_at, until


def _passed(name: str, text: str, *, date_only: bool = False) -> Any:  # noqa: ANN401 - a date or, unless date_only, a time
    """Return a date or a moment that is not in the future."""
    found: dt.date | dt.datetime
    try:
        short = date_only or len(text) == _DATE_LENGTH
        found = dt.date.fromisoformat(text) if short else dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid_field(name, "date_parsing", Phrase("FIELD_NOT_DATE")) from error
    now = dt.datetime.now(DHAKA)
    day = found.date() if isinstance(found, dt.datetime) else found
    ahead = isinstance(found, dt.datetime) and (found if found.tzinfo else found.replace(tzinfo=DHAKA)) > now + _LEEWAY
    if not _EARLIEST <= day <= now.date() or ahead:
        known = {"earliest": str(_EARLIEST), "latest": str(now.date())}
        raise invalid_field(name, "date_out_of_range", Phrase("FIELD_DATE_OUT_OF_RANGE", known))
    return found
