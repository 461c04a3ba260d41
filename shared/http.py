"""The HTTP edge: the application with its layers, and what routers use to read requests and answer them."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware

from shared import docs, failures
from shared.bearer import command_context, language, owner, principal, request_hash, staff
from shared.config import Settings
from shared.doorway import Doorway
from shared.envelope import ok, raw
from shared.guard import Guard
from shared.limits import RateLimiter
from shared.openapi import document, example, refuses, version
from shared.paging import (
    Limit,
    Links,
    ListQuery,
    Page,
    PublicId,
    Query,
    decode_cursor,
    encode_cursor,
    links,
    page_links,
    strict_query,
)
from shared.tokens import Principal

__all__ = [
    "Limit", "Links", "ListQuery", "Page", "Principal", "PublicId", "Query", "command_context", "create_app",
    "decode_cursor", "encode_cursor", "example", "language", "links", "ok", "owner", "page_links", "principal", "raw",
    "refuses", "request_hash", "staff", "strict_query",
]  # fmt: skip

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]
_CORS_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_CORS_READ = (
    "Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Min-Event-Position", "X-Replay",
    "X-Request-ID",
)  # fmt: skip
_CORS_SHOWN = (
    "X-Request-ID", "X-Event-Position", "Retry-After", "Location", "Content-Disposition", "Content-Language",
    "WWW-Authenticate",
)  # fmt: skip


def create_app(
    settings: Settings,
    routers: Sequence[APIRouter],
    *,
    lifespan: Lifespan,
    root_routers: Sequence[APIRouter] = (),
) -> FastAPI:
    """Return the application: `routers` under /api, `root_routers` (health, metrics) at the root, docs if wanted.

    `lifespan` sets on `app.state` what routes need: `store`, `reader`, `redis`, `tokens`, …; the rate limiter comes
    after it, as `app.state.limiter`.
    """
    app = FastAPI(
        title="SmartMarket API", summary="What a small shop should do next", version=version(),
        openapi_url=None, docs_url=None, redoc_url=None, swagger_ui_oauth2_redirect_url=None, redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False}, lifespan=_with_limiter(lifespan),
    )  # fmt: skip
    app.state.settings = settings
    failures.install(app)
    for router in routers:
        app.include_router(router, prefix="/api")
    for router in root_routers:
        app.include_router(router)
    if settings.docs:
        docs.install(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    _add_layers(app, settings)
    return app


def _add_layers(app: FastAPI, settings: Settings) -> None:
    https_only = settings.env == "production"
    app.add_middleware(Guard, https_only=https_only)
    app.add_middleware(
        CORSMiddleware, allow_origins=settings.cors_allowed_origins, allow_methods=_CORS_METHODS,
        allow_headers=_CORS_READ, expose_headers=_CORS_SHOWN, max_age=3600,
    )  # fmt: skip
    app.add_middleware(Doorway, https_only=https_only)


def _with_limiter(lifespan: Lifespan) -> Lifespan:
    @asynccontextmanager
    async def limited(app: FastAPI) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            enabled = app.state.settings.rate_limits
            app.state.limiter = RateLimiter(getattr(app.state, "redis", None), enabled=enabled)
            yield state

    return limited
