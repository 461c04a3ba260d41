"""Builds the application: routers, middleware and documentation; re-exports what routers use."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from brotli_asgi import BrotliMiddleware
from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware

from shared.http import docs, error_handlers
from shared.http.access_log import RequestContextMiddleware
from shared.http.auth import command_context, language, owner, principal, request_hash, staff
from shared.http.conditional import ConditionalGetMiddleware
from shared.http.dependencies import Access, provide
from shared.http.openapi import document, refuses, version
from shared.http.pagination import (
    Limit,
    Links,
    ListQuery,
    Page,
    PublicId,
    decode_cursor,
    encode_cursor,
    links,
    page_links,
)
from shared.http.request_guard import RequestGuardMiddleware
from shared.http.responses import ok, raw
from shared.http.strict_parameters import strict_parameters
from shared.http.tokens import Principal
from shared.runtime.settings import Settings

__all__ = [
    "Limit",
    "Links",
    "ListQuery",
    "Page",
    "Principal",
    "PublicId",
    "command_context",
    "create_app",
    "decode_cursor",
    "encode_cursor",
    "language",
    "links",
    "ok",
    "owner",
    "page_links",
    "principal",
    "raw",
    "refuses",
    "request_hash",
    "staff",
]

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Access]]
# In development a front end is served from any local port.
_LOCAL_ORIGIN = r"https?://(localhost|127\.0\.0\.1)(:\d{1,5})?"
_COMPRESSED_FROM = 1024
# Answers with tokens or codes are not compressed: their length must not depend on what a request can repeat. Nor are
# streams: compression would hold events back.
_UNCOMPRESSED = (r"^/api/auth/", r"^/api/events/")
_CORS_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_CORS_READ = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "X-Min-Event-Position",
    "X-Replay",
    "X-Request-ID",
)
_CORS_SHOWN = (
    "ETag",
    "RateLimit",
    "RateLimit-Policy",
    "X-Request-ID",
    "X-Event-Position",
    "Retry-After",
    "Location",
    "Content-Disposition",
    "Content-Language",
    "WWW-Authenticate",
)


def create_app(
    settings: Settings,
    routers: Sequence[APIRouter],
    *,
    lifespan: Lifespan,
    root_routers: Sequence[APIRouter] = (),
    tags: Sequence[Mapping[str, str]] = (),
) -> FastAPI:
    """Return the application: `routers` under /api, `root_routers` (health, metrics) at the root, docs if wanted.

    The API refuses query parameters that it does not have; those of a page are read by its front end.

    `lifespan` opens what the routes use and yields it: `Dependencies`, or `Access` where no route needs more. `tags`
    are the groups of the documentation, in order. Operation ids are the names of the functions, which must be unique.
    """
    app = FastAPI(
        title="SmartMarket API",
        summary="What a small shop should do next",
        version=version(),
        openapi_tags=[dict(tag) for tag in tags],
        servers=[{"url": "/", "description": "This installation"}],
        generate_unique_id_function=lambda route: route.name,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_providing(lifespan),
    )
    error_handlers.install(app)
    for router in routers:
        app.include_router(router, prefix="/api", dependencies=[Depends(strict_parameters)])
    for router in root_routers:
        app.include_router(router)
    if settings.docs:
        docs.install(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    _add_layers(app, settings)
    return app


def _add_layers(app: FastAPI, settings: Settings) -> None:
    """Add the middleware, the innermost first."""
    https_only = settings.env == "production"
    app.add_middleware(RequestGuardMiddleware, https_only=https_only)
    app.add_middleware(ConditionalGetMiddleware)
    app.add_middleware(BrotliMiddleware, minimum_size=_COMPRESSED_FROM, excluded_handlers=list(_UNCOMPRESSED))
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_allowed_origins,
        allow_origin_regex=_LOCAL_ORIGIN if settings.env == "development" else None,
        allow_methods=_CORS_METHODS,
        allow_headers=_CORS_READ,
        expose_headers=_CORS_SHOWN,
        max_age=3600,
    )
    app.add_middleware(RequestContextMiddleware, https_only=https_only)


def _providing(lifespan: Lifespan) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def provided(app: FastAPI) -> AsyncIterator[None]:
        async with lifespan(app) as access:
            provide(app, access)
            yield

    return provided
