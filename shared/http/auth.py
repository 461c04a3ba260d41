"""Authentication: the bearer token of a request, and the dependencies that require one."""

import datetime as dt
import ipaddress
import uuid

from starlette.requests import Request

from shared.errors import Forbidden, InvalidRequest, NotAuthenticated, Refusal, TokenExpired
from shared.eventstore.metadata import Metadata, Session, Source
from shared.http.negotiation import negotiate
from shared.http.responses import request_id
from shared.http.tokens import Principal, TokenProvider
from shared.texts import DEFAULT_LANGUAGE, Language

_KEY_LENGTH = 255
_AGENT_LENGTH = 512


def identify(tokens: TokenProvider | None, authorization: list[str], now: dt.datetime) -> Principal | Refusal:
    """Return who holds the token of the Authorization headers, or the refusal for who needs to be someone."""
    if tokens is None or len(authorization) != 1:
        return NotAuthenticated()
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "bearer":
        return NotAuthenticated()
    try:
        return tokens.read_access(token.strip(), now)
    except (NotAuthenticated, TokenExpired) as refusal:
        return refusal


def session_of(who: Principal) -> Session:
    """Return the session of a principal's token."""
    return Session(who.family, who.user_id, who.is_staff)


async def principal(request: Request) -> Principal:
    """Return the authenticated principal; raises NotAuthenticated or TokenExpired. A dependency."""
    who: Principal | Refusal = request.state.identity
    if isinstance(who, Refusal):
        raise who
    return who


async def owner(request: Request) -> Principal:
    """Return the principal, who has a business; raises Forbidden for accounts without one. A dependency."""
    who = await principal(request)
    if who.business_id is None:
        raise Forbidden
    return who


async def staff(request: Request) -> Principal:
    """Return the principal, who is staff; raises Forbidden for everyone else. A dependency."""
    who = await principal(request)
    if not who.is_staff:
        raise Forbidden
    return who


def language(request: Request, who: Principal | None = None) -> Language:
    """Return the language to answer in: Accept-Language, else that of `who`, else Bangla."""
    return negotiate(request.headers.get("accept-language")) or (who.language if who else DEFAULT_LANGUAGE)


def command_context(request: Request, who: Principal | None) -> Metadata:
    """Return what the log keeps of who asked; Idempotency-Key, where sent, is the command's id."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= _KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidRequest(details={"header": "Idempotency-Key", "expected": f"1 to {_KEY_LENGTH} ASCII characters"})
    actor = f"user-{who.user_id}" if who else None
    asked = request_id()
    command_id, session = key or str(uuid.uuid4()), session_of(who) if who else None
    return Metadata(actor=actor, request_id=asked, command_id=command_id, source=_source(request), session=session)


def request_hash(request: Request) -> bytes | None:
    """Return the fingerprint of method, path and JSON body, for telling a repeated request from a reused key."""
    fingerprint: bytes | None = getattr(request.state, "request_hash", None)
    return fingerprint


def _source(request: Request) -> Source:
    agent = request.headers.get("user-agent", "").replace("\x00", "")[:_AGENT_LENGTH] or None
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return Source(None, agent)
    return Source(str(address).partition("%")[0], agent)
