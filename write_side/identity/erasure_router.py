"""The end of a shop over HTTP: its owner has it erased, or keeps it."""

from fastapi import APIRouter
from starlette.responses import Response

from shared.domain.refusals.identity import InvalidCredentials, TooManyLoginAttempts
from shared.http.commands import OwnerCommand, PrivateOwnerCommand, Respond
from shared.http.dependencies import Owner
from shared.http.openapi import refuses
from shared.runtime.business_day import local_text
from write_side.identity import erasure_handlers, schemas
from write_side.identity.router import Client

router = APIRouter(tags=["Business"])
_KEPT = {"kept": True}


@router.delete(
    "/business",
    status_code=202,
    openapi_extra=refuses(InvalidCredentials, TooManyLoginAttempts),
    responses=schemas.ERASURE_REQUESTED,
)
def erase_business(
    ctx: PrivateOwnerCommand, respond: Respond, who: Owner, client: Client, form: schemas.Erasure
) -> Response:
    """Have the shop erased after seven days: its account, personal data, files and all that is shown of it.

    Everything works as before until then, and `POST /api/business/keep` cancels it. Asked again, it changes nothing.
    """
    asked = erasure_handlers.request_erasure(ctx, client, who, form.password)
    return respond(asked, status=202, shown=lambda moment: {"erased_after": local_text(moment)})


@router.post("/business/keep", responses=schemas.ERASURE_CANCELLED)
def keep_business(ctx: OwnerCommand, respond: Respond, who: Owner) -> Response:
    """Keep a shop that was to be erased; changes nothing if it was not."""
    return respond(erasure_handlers.cancel_erasure(ctx, who.user_id).map(lambda _: _KEPT))
