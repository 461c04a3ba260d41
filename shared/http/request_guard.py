"""Middleware that checks requests before routing: https, URL encoding, rate limit, size and form of the body."""

import datetime as dt
import hashlib
import re
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import InvalidQuery, InvalidRequest, Refusal, UnsupportedMediaType
from shared.http import json_validation, request_limits
from shared.http.active_sessions import Sessions, with_active_session
from shared.http.auth import identify
from shared.http.body_limits import timed
from shared.http.dependencies import provided
from shared.http.error_handlers import FILE_LIMIT, JSON_LIMIT, error_response, media_type, refusal_of, too_large
from shared.http.negotiation import negotiate
from shared.http.tokens import Principal
from shared.texts import DEFAULT_LANGUAGE

# Boundaries, part headers and small fields of a multipart body, in addition to the file.
_MULTIPART_OVERHEAD = 64 * 1024
_MALFORMED = re.compile(rb"%(?![0-9A-Fa-f]{2})|[\x00-\x20\x7f-\xff]")
_INTERNAL = ("/health", "/metrics")
_DOCS = ("/api/docs", "/api/redoc", "/api/openapi.json")


class HttpsRequired(Refusal):
    """In production http is refused."""

    error_code = "HTTPS_REQUIRED"
    status = 403


class RequestGuardMiddleware:
    """ASGI middleware; also answers errors of the inner application in the error envelope."""

    def __init__(self, app: ASGIApp, *, https_only: bool) -> None:
        """Wrap `app`; with `https_only` plain http is refused."""
        self.app = app
        self._https_only = https_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def tracked(message: Message) -> None:
            nonlocal started
            if not started and "limit" in scope["state"]:
                fields = await scope["state"]["limit"].after(message["status"])
                message = {**message, "headers": [*message["headers"], *fields]}
            started = True
            await send(message)

        headers = Headers(scope=scope)
        response: Response | None
        try:
            response = await self._admit(scope, headers)
            if response is None:
                receive = await _checked_body(scope, headers, receive)
                await self.app(_as_get(scope), receive, tracked)
                return
        except Exception as error:
            request = Request(scope)
            response = error_response(request, refusal_of(request, error))
            if started:
                raise
        await response(scope, receive, tracked)

    async def _admit(self, scope: Scope, headers: Headers) -> Response | None:
        state, path = scope["state"], scope["path"]
        asked_language = negotiate(headers.get("accept-language"))
        state["language"] = asked_language or DEFAULT_LANGUAGE
        if self._https_only and not _is_https(scope) and not path.startswith(_INTERNAL):
            if scope["method"] in {"GET", "HEAD"} and (path.startswith(_DOCS) or not path.startswith("/api")):
                return RedirectResponse(str(Request(scope).url.replace(scheme="https")), 308)
            raise HttpsRequired
        access = provided(scope["app"])
        who = identify(access.tokens, headers.getlist("authorization"), dt.datetime.now(dt.UTC))
        if path.startswith("/api/"):
            who = await _standing(scope, who, access.sessions)
        state["identity"] = who
        if isinstance(who, Principal) and asked_language is None:
            state["language"] = who.language
        _check_url(scope)
        if path.startswith("/api/"):
            await request_limits.admit(access.limiter, scope, who)
        return None


async def _standing(scope: Scope, who: Principal | Refusal, sessions: Sessions) -> Principal | Refusal:
    """Return the caller; while sessions cannot be looked up, the refusal of requests that need to be someone's."""
    try:
        return await with_active_session(who, sessions)
    except Exception as error:  # noqa: BLE001 - whatever keeps the database from answering
        return refusal_of(Request(scope), error)


def _is_https(scope: Scope) -> bool:
    # The server sets the scheme by X-Forwarded-Proto of trusted proxies, and of nobody else.
    return scope.get("scheme") == "https"


def _as_get(scope: Scope) -> Scope:
    # HEAD is handled as GET; the server omits the body, and an endless one is not begun.
    scope["state"]["is_head"] = scope["method"] == "HEAD"
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope


def _check_url(scope: Scope) -> None:
    query: bytes = scope["query_string"]
    if query and not _readable(query):
        raise InvalidQuery(details={"parameter": "?", "expected": "UTF-8, %XX"})
    path: bytes = scope.get("raw_path") or b""
    if b"%" in path and not _readable(path):
        raise InvalidRequest(details={"expected": "UTF-8, %XX"})


def _readable(encoded: bytes) -> bool:
    if _MALFORMED.search(encoded):
        return False
    if b"%" not in encoded:
        return True
    plain = unquote_to_bytes(encoded)
    try:
        plain.decode()
    except UnicodeDecodeError:
        return False
    return b"\x00" not in plain


async def _checked_body(scope: Scope, headers: Headers, receive: Receive) -> Receive:
    length = headers.get("content-length")
    if length in {None, "0"} and "transfer-encoding" not in headers:
        _fingerprint(scope, headers, b"")
        return receive
    kind = media_type(headers.get("content-type", ""))
    limit = FILE_LIMIT + _MULTIPART_OVERHEAD if kind == "multipart/form-data" else JSON_LIMIT
    if length is not None and length.isdecimal() and int(length[:20]) > limit:
        raise too_large(kind)
    if kind not in {"application/json", "multipart/form-data"} or "content-encoding" in headers:
        raise UnsupportedMediaType(details={"expected": "application/json or multipart/form-data"})
    counted = _counted(timed(receive), limit)
    return counted if kind == "multipart/form-data" else await _checked_json(scope, headers, counted, receive)


def _counted(receive: Receive, limit: int) -> Receive:
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise HTTPException(413)
        return message

    return counted


async def _checked_json(scope: Scope, headers: Headers, counted: Receive, receive: Receive) -> Receive:
    chunks: list[bytes] = []
    message: Any = {"more_body": True}
    while message.get("more_body", False):
        message = await counted()
        if message["type"] == "http.disconnect":
            return _then(message, receive)
        chunks.append(message.get("body", b""))
    body = b"".join(chunks)
    await json_validation.check_off_loop(body)
    _fingerprint(scope, headers, body)
    return _then({"type": "http.request", "body": body, "more_body": False}, receive)


def _fingerprint(scope: Scope, headers: Headers, body: bytes) -> None:
    if "idempotency-key" in headers:
        line = f"{scope['method']} {scope['path']}\n".encode()
        scope["state"]["request_hash"] = hashlib.sha256(line + body).digest()


def _then(first: Message, receive: Receive) -> Receive:
    waiting = [first]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed
