"""POST /auth/login-link: logs in by a link that works once."""

import datetime as dt

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from shared.domain.refusals.identity import InvalidLoginLink
from shared.http.commands import AnonymousCommand, RespondAnonymously
from shared.http.dependencies import Deps
from shared.http.fields import Body
from shared.http.openapi import refuses
from write_side.identity import schemas
from write_side.identity.login_links_handlers import log_in_by_link
from write_side.identity.presenter import tokens_data, user_data
from write_side.identity.profile_handlers import user_of
from write_side.identity.session_handlers import Sessions

router = APIRouter(tags=["Auth"])


class LoginLink(Body):
    """The code of a link."""

    code: str = Field(min_length=1, max_length=100, examples=["r4nD0m-c0d3-of-32-characters-0001"])


@router.post("/auth/login-link", openapi_extra=refuses(InvalidLoginLink), responses=schemas.LOGGED_IN)
def log_in_with_link(ctx: AnonymousCommand, respond: RespondAnonymously, deps: Deps, form: LoginLink) -> Response:
    """Begin a session by a one-use link, which `make run` prints in development; elsewhere there are none."""
    sessions = Sessions(ctx, deps.tokens, dt.datetime.now(dt.UTC))
    session = log_in_by_link(sessions, deps.settings, form.code)
    account, tokens = session.data
    user = user_data(user_of(account.user_id).read(ctx.store), account.business_id)
    data = {"user": user, **tokens_data(tokens), "tokens": tokens_data(tokens)}
    return respond.of(account.business_id)(session.map(lambda _: data))
