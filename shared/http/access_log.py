"""The outermost middleware: request ids, security headers of every answer, and one log line per request."""

import logging
import re
import time
import uuid
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from shared.http.tokens import Principal

_UUID = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_QUIET = ("/health", "/metrics")
_HEADERS: Final = {
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
    b"cache-control": b"no-store",
}
_HSTS: Final = {b"strict-transport-security": b"max-age=31536000; includeSubDomains"}
logger = logging.getLogger("smartmarket.access")


def security_headers(*, https_only: bool) -> list[tuple[bytes, bytes]]:
    """Return the headers that every answer has unless it sets its own."""
    return list((_HEADERS | _HSTS if https_only else _HEADERS).items())


class RequestContextMiddleware:
    """ASGI middleware; headers that an answer sets itself are kept."""

    def __init__(self, app: ASGIApp, *, https_only: bool) -> None:
        """Wrap `app`; with `https_only` browsers remember for a year to use https (HSTS)."""
        self.app = app
        self._headers = security_headers(https_only=https_only)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        own = [(b"x-request-id", request_id.encode())]
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name for name, _ in message["headers"]}
                added = own + [header for header in self._headers if header[0] not in present]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        with bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_headers)
            finally:
                _log(scope, status, time.perf_counter() - started)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _UUID.fullmatch(value):
            return str(value, "ascii")
    return str(uuid.uuid4())


def _log(scope: Scope, status: int, seconds: float) -> None:
    level = logging.DEBUG if scope["path"].startswith(_QUIET) else logging.INFO
    if not logger.isEnabledFor(level):
        return
    request = {"method": scope["method"], "path": scope["path"], "status": status}
    fields: dict[str, float | None] = {"processing_time_ms": round(seconds * 1000, 2)}
    who = scope["state"].get("identity")
    if isinstance(who, Principal):
        fields |= {"user_id": who.user_id, "business_id": who.business_id}
    logger.log(level, "%(method)s %(path)s %(status)s", request, extra=request | fields)
