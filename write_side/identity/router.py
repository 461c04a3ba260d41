"""Accounts, sessions and the shop's profile over HTTP."""

import datetime as dt
from typing import Annotated, Any

from anyio.from_thread import run as run_in_loop
from fastapi import APIRouter, Depends, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from shared.domain.refusals.identity import (
    EmailTaken,
    InvalidCredentials,
    InvalidRefreshToken,
    InvalidResetCode,
    TooManyLoginAttempts,
    WeakPassword,
)
from shared.errors import IdempotencyKeyReused, InvalidRequest, TooManyRequests
from shared.eventstore.command import CommandContext
from shared.http import emails
from shared.http.commands import (
    AnonymousCommand,
    CallerCommand,
    PrivateCallerCommand,
    PrivateOwnerCommand,
    Respond,
    RespondAnonymously,
)
from shared.http.dependencies import Caller, Dependencies, Deps, Owner
from shared.http.openapi import refuses
from shared.http.rate_limiter import source
from shared.http.responses import ok
from write_side.identity import password_handlers, profile_handlers, registration_handlers, schemas
from write_side.identity.business_aggregate import ChangeBusinessProfile
from write_side.identity.credentials.origins import Gate
from write_side.identity.credentials.senders import Sender, sender_of
from write_side.identity.login_handlers import Attempt
from write_side.identity.password_handlers import NewPassword
from write_side.identity.presenter import business_data, tokens_data, user_data
from write_side.identity.profile_handlers import business_of, user_of
from write_side.identity.session_handlers import LoggedInSession, Sessions
from write_side.identity.user_aggregate import ChangeUserProfile

# Of one address, which may be that of a whole mobile network.
REGISTRATIONS_PER_HOUR = 60
RESETS_PER_HOUR = 120
_HOUR = 3600

router = APIRouter()
_LOGGED_OUT = {"logged_out": True}
_CHANGED = {"password_changed": True}


async def gate(request: Request, deps: Deps) -> Gate:
    """Return network and device of the client, against which failures are counted. A dependency."""
    return Gate.of(_host(request), request.cookies, enabled=deps.settings.rate_limits)


async def sender(deps: Deps) -> Sender:
    """Return what sends reset codes. A dependency."""
    return sender_of(deps.settings)


Client = Annotated[Gate, Depends(gate)]


@router.post(
    "/auth/register",
    status_code=201,
    tags=["Auth"],
    openapi_extra=refuses(EmailTaken, WeakPassword, IdempotencyKeyReused),
    responses=schemas.REGISTERED,
)
def register(
    request: Request,
    ctx: AnonymousCommand,
    respond: RespondAnonymously,
    deps: Deps,
    client: Client,
    form: schemas.Registration,
) -> Response:
    """Open an account with its shop, and log it in; the cookie makes this device known to the account."""
    applicant = registration_handlers.Applicant(**form.model_dump())
    _limit(request, deps, "register", REGISTRATIONS_PER_HOUR)
    account = registration_handlers.register(ctx, applicant, request.headers.get("idempotency-key")).data
    session = _sessions(ctx, deps).begin(account, gate=client)
    business_id = account.business_id or 0

    def shown(logged_in: LoggedInSession) -> dict[str, Any]:
        return {
            "user": user_data(user_of(account.user_id).read(ctx.store), account.business_id),
            "business": business_data(business_of(business_id, account.user_id).read(ctx.store)),
            "tokens": tokens_data(logged_in.tokens),
        }

    return respond.of(account.business_id)(session, status=201, shown=shown, headers=_device(client, deps))


@router.post(
    "/auth/login",
    tags=["Auth"],
    openapi_extra=refuses(InvalidCredentials, TooManyLoginAttempts),
    responses=schemas.LOGGED_IN,
)
def login(
    ctx: AnonymousCommand, respond: RespondAnonymously, deps: Deps, client: Client, form: schemas.Login
) -> Response:
    """Begin a session; the cookie makes this device known to the account.

    Who fails too often waits, longer each time: per account and network, per known device, per address. A device or a
    network from which the account was logged in before does not wait for the failures of others.
    """
    session = _sessions(ctx, deps).log_in(Attempt(client, emails.looked_up(form.email), form.password))
    account, tokens = session.data
    user = user_data(user_of(account.user_id).read(ctx.store), account.business_id)
    data = {"user": user, **tokens_data(tokens), "tokens": tokens_data(tokens)}
    return respond.of(account.business_id)(session.map(lambda _: data), headers=_device(client, deps))


@router.post(
    "/auth/token/refresh",
    tags=["Auth"],
    openapi_extra=refuses(InvalidRefreshToken),
    responses=schemas.REFRESHED,
)
def refresh_token(ctx: AnonymousCommand, deps: Deps, form: schemas.RefreshToken) -> Response:
    """Exchange the newest refresh token for the next pair; each is valid once, and reuse ends the session."""
    return ok(tokens_data(_sessions(ctx, deps).refresh(form.refresh_token)))


@router.post("/auth/logout", tags=["Auth"], openapi_extra=refuses(InvalidRefreshToken), responses=schemas.LOGGED_OUT)
def logout(ctx: AnonymousCommand, respond: RespondAnonymously, deps: Deps, form: schemas.RefreshToken) -> Response:
    """End the session of this refresh token."""
    ended = _sessions(ctx, deps).log_out(form.refresh_token)
    return respond.of(ended.data)(ended.map(lambda _: _LOGGED_OUT))


@router.post("/auth/logout-all", tags=["Auth"], responses=schemas.LOGGED_OUT)
def logout_all(ctx: CallerCommand, respond: Respond, who: Caller, deps: Deps) -> Response:
    """End every session of this account."""
    return respond(_sessions(ctx, deps).log_out_everywhere(who).map(lambda _: _LOGGED_OUT))


@router.get("/auth/me", tags=["Auth"], responses=schemas.ACCOUNT)
def show_me(who: Caller, deps: Deps) -> Response:
    """Return the own account."""
    return ok(user_data(user_of(who.user_id).read(deps.store), who.business_id))


@router.patch("/auth/me", tags=["Auth"], responses=schemas.ACCOUNT_CHANGED)
def change_me(
    ctx: PrivateCallerCommand, respond: Respond, who: Caller, deps: Deps, form: schemas.UserChange
) -> Response:
    """Change the own name or language; the new access token contains the new language."""
    command = ChangeUserProfile(**_given(form))
    sessions = _sessions(ctx, deps)
    sessions.continued(who)
    user = profile_handlers.change_user(ctx, who.user_id, command)
    token = sessions.continued(who)
    return respond(user.map(lambda user: {**user_data(user, who.business_id), "access_token": token}))


@router.patch("/business/profile", tags=["Business"], responses=schemas.SHOP_CHANGED)
def change_profile(ctx: PrivateOwnerCommand, respond: Respond, who: Owner, form: schemas.BusinessChange) -> Response:
    """Change the shop's profile."""
    command = ChangeBusinessProfile(**{name: value or "" for name, value in _given(form).items()})
    return respond(profile_handlers.change_business(ctx, who.user_id, command), shown=business_data)


@router.post(
    "/auth/password",
    tags=["Auth"],
    openapi_extra=refuses(InvalidCredentials, TooManyLoginAttempts, WeakPassword),
    responses=schemas.PASSWORD_CHANGED,
)
def change_password(
    ctx: CallerCommand, respond: Respond, who: Caller, client: Client, form: schemas.PasswordChange
) -> Response:
    """Replace the password; every other session ends."""
    new = NewPassword(form.current_password, form.new_password)
    return respond(password_handlers.change_password(ctx, client, who, new).map(lambda _: _CHANGED))


@router.post(
    "/auth/password/reset-request",
    status_code=202,
    tags=["Auth"],
    responses=schemas.RESET_REQUESTED,
)
def request_reset(
    request: Request,
    ctx: AnonymousCommand,
    deps: Deps,
    codes: Annotated[Sender, Depends(sender)],
    form: schemas.ResetRequest,
) -> Response:
    """Send a one-use code to the account of this e-mail, if there is one; the answer is the same if there is none."""
    _limit(request, deps, "reset", RESETS_PER_HOUR)
    answer = ok({"expires_in": int(password_handlers.VALID.total_seconds())}, status=202)
    answer.background = BackgroundTask(password_handlers.request_reset, ctx, codes, emails.looked_up(form.email))
    return answer


@router.post(
    "/auth/password/reset",
    tags=["Auth"],
    openapi_extra=refuses(InvalidResetCode, TooManyLoginAttempts, WeakPassword),
    responses=schemas.PASSWORD_CHANGED,
)
def reset_password(ctx: AnonymousCommand, respond: RespondAnonymously, client: Client, form: schemas.Reset) -> Response:
    """Replace a forgotten password with the code that was sent; every session ends."""
    new = NewPassword(form.code, form.new_password)
    reset = password_handlers.reset_password(ctx, client, emails.looked_up(form.email), new)
    return respond.of(reset.data)(reset.map(lambda _: _CHANGED))


def _sessions(ctx: CommandContext, deps: Dependencies) -> Sessions:
    return Sessions(ctx, deps.tokens, dt.datetime.now(dt.UTC))


def _given(form: schemas.UserChange | schemas.BusinessChange) -> dict[str, Any]:
    given = form.model_dump(exclude_unset=True)
    if not given:
        raise InvalidRequest(details={"expected": sorted(type(form).model_fields)})
    return given


def _device(client: Gate, deps: Dependencies) -> dict[str, str]:
    return client.cookie(secure=deps.settings.env == "production")


def _host(request: Request) -> str:
    return request.client.host if request.client else ""


def _limit(request: Request, deps: Dependencies, name: str, per_hour: int) -> None:
    retry_after = run_in_loop(deps.limiter.hit, f"{name}:{source(_host(request))}", per_hour, _HOUR)
    if retry_after is not None:
        raise TooManyRequests(retry_after=retry_after)
