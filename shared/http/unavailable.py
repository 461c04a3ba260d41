"""The application of a process whose database is not migrated yet: 503 for everything but the liveness probe."""

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import ServiceDegraded
from shared.http.access_log import RequestContextMiddleware
from shared.http.negotiation import negotiate
from shared.http.responses import refused
from shared.texts import DEFAULT_LANGUAGE

RETRY_SECONDS = 10
_LIVE = ("/health/live", "/api/health/live")
_PROBES = ("/health", "/health/ready", "/api/health", "/api/health/ready")


def unavailable(*, https_only: bool) -> ASGIApp:
    """Return the application; `https_only` as for the real one."""
    return RequestContextMiddleware(_answer, https_only=https_only)


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    request = Request(scope)
    await _response(request)(scope, receive, send)


def _response(request: Request) -> Response:
    path = request.url.path
    if path in _LIVE:
        return _plain({"status": "ok"}, 200)
    if path in _PROBES:
        return _plain({"status": "error", "failed_service": "db"}, 503)
    language = negotiate(request.headers.get("accept-language")) or DEFAULT_LANGUAGE
    refusal = ServiceDegraded(details={"service": "database"}, retry_after=RETRY_SECONDS)
    return refused(refusal, language, accept=request.headers.get("accept", ""), path=path)


def _plain(body: dict[str, str], status: int) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
