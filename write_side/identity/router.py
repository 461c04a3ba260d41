"""Accounts, sessions and the shop's profile over HTTP; who asks and from where is read here."""

import datetime as dt
import uuid
from dataclasses import replace
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
from shared.errors import InvalidRequest, TooManyRequests
from shared.eventstore.store import EventStore, Metadata
from shared.http.auth import command_context, owner, principal, request_hash
from shared.http.openapi import example, refuses
from shared.http.rate_limiter import source
from shared.http.responses import ok
from shared.http.tokens import Principal
from write_side.identity import password_handlers, profile_handlers, registration_handlers, schemas
from write_side.identity.aggregate import ChangeBusinessProfile, ChangeUserProfile
from write_side.identity.credentials import emails
from write_side.identity.credentials.senders import Sender, default_sender
from write_side.identity.login_handlers import Attempt, Gate
from write_side.identity.password_handlers import PasswordWish
from write_side.identity.presenter import (
    BUSINESS_EXAMPLE,
    TOKENS_EXAMPLE,
    USER_EXAMPLE,
    business_data,
    tokens_data,
    user_data,
)
from write_side.identity.session_handlers import Sessions

REGISTRATIONS_PER_HOUR = 5
RESETS_PER_HOUR = 20
_HOUR = 3600

router = APIRouter()
Someone = Annotated[Principal, Depends(principal)]
Owner = Annotated[Principal, Depends(owner)]
_LOGIN_EXAMPLE = {"user": USER_EXAMPLE, **TOKENS_EXAMPLE, "tokens": TOKENS_EXAMPLE}
_REGISTER_EXAMPLE = {"user": USER_EXAMPLE, "business": BUSINESS_EXAMPLE, "tokens": TOKENS_EXAMPLE}
_LOGGED_OUT = {"logged_out": True}
_CHANGED = {"password_changed": True}


@router.post(
    "/auth/register",
    status_code=201,
    tags=["Auth"],
    openapi_extra=refuses(EmailTaken, WeakPassword),
    responses={201: example(_REGISTER_EXAMPLE)},
)
def register(request: Request, form: schemas.Registration) -> Response:
    """Open an account with its shop, and log it in."""
    store, meta = _store(request), _meta(request)
    applicant = registration_handlers.Applicant(**form.model_dump())
    _limit(request, "register", REGISTRATIONS_PER_HOUR)
    key = request.headers.get("idempotency-key")
    account, _ = registration_handlers.register(store, applicant, meta, key)
    tokens, position = _sessions(request).begin(account, meta, _now())
    data = {
        "user": user_data(profile_handlers.user(store, account.user_id), account.business_id),
        "business": business_data(profile_handlers.business(store, account.business_id or 0, account.user_id)),
        "tokens": tokens_data(tokens),
    }
    return ok(data, status=201, position=_seal(request, account.business_id, position))


@router.post(
    "/auth/login",
    tags=["Auth"],
    openapi_extra=refuses(InvalidCredentials, TooManyLoginAttempts),
    responses={200: example(_LOGIN_EXAMPLE)},
)
def login(request: Request, form: schemas.Login) -> Response:
    """Begin a session."""
    attempt = Attempt(_gate(request), emails.looked_up(form.email), form.password)
    account, tokens, position = _sessions(request).log_in(attempt, _meta(request), _now())
    user = user_data(profile_handlers.user(_store(request), account.user_id), account.business_id)
    data = {"user": user, **tokens_data(tokens), "tokens": tokens_data(tokens)}
    return ok(data, position=_seal(request, account.business_id, position))


@router.post(
    "/auth/token/refresh",
    tags=["Auth"],
    openapi_extra=refuses(InvalidRefreshToken),
    responses={200: example(TOKENS_EXAMPLE)},
)
def refresh_token(request: Request, form: schemas.RefreshToken) -> Response:
    """Exchange the newest refresh token for the next pair; each is good once, and reuse ends the session."""
    return ok(tokens_data(_sessions(request).refresh(form.refresh_token, _meta(request), _now())))


@router.post(
    "/auth/logout", tags=["Auth"], openapi_extra=refuses(InvalidRefreshToken), responses={200: example(_LOGGED_OUT)}
)
def logout(request: Request, form: schemas.RefreshToken) -> Response:
    """End the session of this refresh token."""
    business_id, position = _sessions(request).log_out(form.refresh_token, _meta(request), _now())
    return ok(_LOGGED_OUT, position=_seal(request, business_id, position))


@router.post("/auth/logout-all", tags=["Auth"], responses={200: example(_LOGGED_OUT)})
def logout_all(request: Request, who: Someone) -> Response:
    """End every session of this account."""
    position = _sessions(request).log_out_everywhere(who, _meta(request, who))
    return ok(_LOGGED_OUT, position=_seal(request, who.business_id, position))


@router.patch("/auth/me", tags=["Auth"], responses={200: example({**USER_EXAMPLE, "access_token": "jwt..."})})
def change_me(request: Request, who: Someone, form: schemas.UserChange) -> Response:
    """Change the own name or language; the new access token says the new language."""
    wish, meta, sessions = ChangeUserProfile(**_said(form)), _repeatable(request, who), _sessions(request)
    sessions.continued(who, _now())
    user = profile_handlers.change_user(_store(request), who, wish, meta, _content(request, who))
    data = {**user_data(user, who.business_id), "access_token": sessions.continued(who, _now())}
    return ok(data, position=_seal(request, who.business_id, user.position))


@router.patch("/business/profile", tags=["Business"], responses={200: example(BUSINESS_EXAMPLE)})
def change_profile(request: Request, who: Owner, form: schemas.BusinessChange) -> Response:
    """Change the shop's profile."""
    wish = ChangeBusinessProfile(**{name: value or "" for name, value in _said(form).items()})
    shop = profile_handlers.change_business(
        _store(request), who, wish, _repeatable(request, who), _content(request, who)
    )
    return ok(business_data(shop), position=_seal(request, who.business_id, shop.position))


@router.post(
    "/auth/password",
    tags=["Auth"],
    openapi_extra=refuses(InvalidCredentials, TooManyLoginAttempts, WeakPassword),
    responses={200: example(_CHANGED)},
)
def change_password(request: Request, who: Someone, form: schemas.PasswordChange) -> Response:
    """Replace the password; every other session ends."""
    wish = PasswordWish(form.current_password, form.new_password)
    position = password_handlers.change_password(_store(request), _gate(request), who, wish, _meta(request, who))
    return ok(_CHANGED, position=_seal(request, who.business_id, position))


@router.post(
    "/auth/password/reset-request",
    status_code=202,
    tags=["Auth"],
    responses={202: example({"expires_in": 600}, pending=True)},
)
def request_reset(request: Request, form: schemas.ResetRequest) -> Response:
    """Send a one-use code to the account of this e-mail, if there is one; the answer does not tell."""
    _limit(request, "reset", RESETS_PER_HOUR)
    answer = ok({"expires_in": int(password_handlers.VALID.total_seconds())}, status=202)
    email, sender = emails.looked_up(form.email), _sender(request)
    answer.background = BackgroundTask(password_handlers.request_reset, _store(request), sender, email, _meta(request))
    return answer


@router.post(
    "/auth/password/reset",
    tags=["Auth"],
    openapi_extra=refuses(InvalidResetCode, TooManyLoginAttempts, WeakPassword),
    responses={200: example(_CHANGED)},
)
def reset_password(request: Request, form: schemas.Reset) -> Response:
    """Replace a forgotten password by the code that was sent; every session ends."""
    email, wish = emails.looked_up(form.email), PasswordWish(form.code, form.new_password)
    business_id, position = password_handlers.reset_password(
        _store(request), _gate(request), email, wish, _meta(request)
    )
    return ok(_CHANGED, position=_seal(request, business_id, position))


def _store(request: Request) -> EventStore:
    store: EventStore = request.app.state.store
    return store


def _sessions(request: Request) -> Sessions:
    return Sessions(_store(request), request.app.state.tokens)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _meta(request: Request, who: Principal | None = None) -> Metadata:
    return replace(command_context(request, who), command_id=str(uuid.uuid4()))


def _repeatable(request: Request, who: Principal) -> Metadata:
    return command_context(request, who) if "idempotency-key" in request.headers else _meta(request, who)


def _content(request: Request, who: Principal) -> bytes | None:
    """Return a keyed hash of the request: a plain one would let names and phone numbers be guessed."""
    plain = request_hash(request)
    return plain and _store(request).master.lookup_key("request", who.business_id, f"{who.user_id} {plain.hex()}")


def _said(form: schemas.UserChange | schemas.BusinessChange) -> dict[str, Any]:
    said = form.model_dump(exclude_unset=True)
    if not said:
        raise InvalidRequest(details={"expected": sorted(type(form).model_fields)})
    return said


def _host(request: Request) -> str:
    return request.client.host if request.client else ""


def _gate(request: Request) -> Gate:
    return Gate.of(_host(request), enabled=request.app.state.settings.rate_limits)


def _limit(request: Request, name: str, per_hour: int) -> None:
    retry_after = run_in_loop(request.app.state.limiter.hit, f"{name}:{source(_host(request))}", per_hour, _HOUR)
    if retry_after is not None:
        raise TooManyRequests(retry_after=retry_after)


def _sender(request: Request) -> Sender:
    return getattr(request.app.state, "sender", None) or default_sender(request.app.state.settings.env)


def _seal(request: Request, business_id: int | None, position: int | None) -> str | None:
    token: str | None = request.app.state.positions.seal(business_id, position) if position else None
    return token
