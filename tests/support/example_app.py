"""The HTTP edge served for real, on a port of its own, with a few routes that show what routers do."""

import asyncio
import datetime as dt
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from typing import Annotated, Any, Literal

import httpx
import psycopg
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Query, Request, UploadFile
from pydantic import BaseModel, ConfigDict, EmailStr, Field
from redis.asyncio import Redis
from starlette.responses import Response

from shared.domain.refusals.identity import EmailTaken
from shared.eventstore.metadata import Session
from shared.http.answers import answers
from shared.http.app import (
    Limit,
    ListQuery,
    Principal,
    PublicId,
    command_context,
    create_app,
    links,
    ok,
    owner,
    principal,
    raw,
    refuses,
    request_hash,
    staff,
)
from shared.http.dependencies import Access
from shared.http.pagination import strict_query
from shared.http.rate_limiter import RateLimiter
from shared.http.tokens import TokenProvider
from shared.runtime.settings import Settings

SECRET = "for-tests-only-4c1f0d7be2a94f6b8d35"
FAMILY = "4f9f6d0e-6f0e-4a53-9a53-0f1d6a0f2a11"
OWNER = Principal(user_id=12, business_id=7, is_staff=False, language="bn", family=FAMILY)
ENGLISH_OWNER = Principal(user_id=13, business_id=8, is_staff=False, language="en", family=FAMILY)
STAFF = Principal(user_id=99, business_id=None, is_staff=True, language="en", family=FAMILY)


class _EndlessSessions:
    """Sessions of an application without a database: none ever ends."""

    def remembered(self, session: Session) -> bool | None:
        del session
        return True

    def look_up(self, session: Session) -> bool:
        del session
        return True


ENDLESS = _EndlessSessions()

router = APIRouter(tags=["Examples"])
health = APIRouter(tags=["Health"])
Owner = Annotated[Principal, Depends(owner)]


class Sale(BaseModel):
    """One sale."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"product_name": "Shirt", "amount": 600}]}
    )

    product_name: str = Field(min_length=1, max_length=255)
    amount: Decimal = Field(gt=0, le=10_000_000, decimal_places=2)
    email: EmailStr | None = None


class SalesCount(BaseModel):
    """How many sales there are."""

    count: int
    results: list[Sale]


class SalesQuery(ListQuery):
    """Filters of the list."""

    limit: Limit = 50
    sort: Literal["date", "amount"] = "date"


@router.get("/public")
async def public() -> Response:
    """Answer to anyone."""
    return ok({"price": Decimal("600.00"), "half": Decimal("0.50"), "day": dt.date(2025, 11, 3)})


@router.get("/whoami")
async def whoami(who: Annotated[Principal, Depends(principal)]) -> Response:
    """Answer with the principal of the request."""
    return ok({"user_id": who.user_id, "business_id": who.business_id})


@router.get("/sales", responses=answers(SalesCount, {"count": 0, "results": []}))
async def sales(request: Request, who: Owner, query: Annotated[SalesQuery, Query()]) -> Response:
    """List, with links."""
    following, previous = links(request, query.page(), 1250)
    return ok({"count": 1250, "next": following, "previous": previous, "business": who.business_id})


@router.get("/strict")
async def strict(request: Request, low_stock_only: Literal["true", "false"] = "false") -> Response:
    """Check the query without a model of it."""
    strict_query(request, ("low_stock_only",))
    return ok({"low": low_stock_only})


@router.post("/sales", status_code=201, openapi_extra=refuses(EmailTaken))
async def add_sale(request: Request, who: Owner, sale: Sale) -> Response:
    """Add one."""
    meta = command_context(request, who)
    fingerprint = request_hash(request)
    reported = {"command_id": meta.command_id, "actor": meta.actor, "hash": fingerprint and fingerprint.hex()}
    return ok(sale.model_dump() | reported, status=201, position="sealed", headers={"Location": "/api/sales/1"})


@router.post("/auth/anything", name="anything_with_tokens")
@router.post("/anything")
async def anything(body: dict[str, Any]) -> Response:
    """Give back what came."""
    return ok(body)


@router.post("/files", status_code=202)
async def files(file: UploadFile) -> Response:
    """Count the bytes of a file."""
    return ok({"size": len(await file.read())}, status=202)


@router.get("/sales/{sale_id}")
async def sale(sale_id: PublicId) -> Response:
    """Show one."""
    return raw(b'{"id":%d}' % sale_id)


@router.patch("/sales/{sale_id}")
def change(sale_id: PublicId) -> Response:
    """Change one, in a thread."""
    return ok({"id": sale_id})


@router.get("/admin")
async def admin(who: Annotated[Principal, Depends(staff)]) -> Response:
    """Answer to staff."""
    return ok({"user_id": who.user_id})


@router.get("/taken")
async def taken() -> Response:
    """Refuse."""
    raise EmailTaken


@router.get("/broken")
async def broken() -> Response:
    """Fail."""
    message = "the password of postgresql://app:hunter2@db/shop is hunter2"
    raise ZeroDivisionError(message)


@router.get("/outage")
def outage() -> Response:
    """Fail as when the database is gone."""
    psycopg.connect("postgresql://nobody@127.0.0.1:1/none", connect_timeout=1)
    return ok({})


@health.get("/health")
async def alive() -> Response:
    """Answer probes."""
    return Response(b'{"status":"ok"}', media_type="application/json")


def settings(**changes: Any) -> Settings:  # noqa: ANN401 - the value of a setting
    """Return settings that no environment changes."""
    return Settings.model_validate({"jwt_secret": SECRET, "secret_key": SECRET[::-1], "rate_limits": False, **changes})


def application(chosen: Settings | None = None, *, redis_url: str | None = None) -> FastAPI:
    """Return the application with the example routes; with a Redis, limits are counted there."""
    chosen = chosen or settings()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[Access]:
        tokens = TokenProvider(chosen)
        if redis_url is None:
            yield Access(chosen, tokens, RateLimiter(None, enabled=chosen.rate_limits), ENDLESS)
            return
        async with Redis.from_url(redis_url) as redis:
            limiter = RateLimiter(redis, enabled=chosen.rate_limits, patience=chosen.rate_limit_patience)
            yield Access(chosen, tokens, limiter, ENDLESS)

    return create_app(chosen, [router], lifespan=lifespan, root_routers=[health])


def bearer(who: Principal, *, at: dt.datetime | None = None, chosen: Settings | None = None) -> dict[str, str]:
    """Return the header that authenticates a request, with a token made now or `at`."""
    token = TokenProvider(chosen or settings()).access(who, at or dt.datetime.now(dt.UTC))
    return {"Authorization": f"Bearer {token}"}


@contextmanager
def serving(app: FastAPI, *, proxies: str = "127.0.0.1", http: Any = "auto") -> Iterator[httpx.Client]:  # noqa: ANN401 - a protocol of uvicorn
    """Serve `app` with uvicorn and yield a client of it; the headers of `proxies` are trusted."""
    # With the protocol named, asyncio sends small answers at once.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on", forwarded_allow_ips=proxies, http=http))
    thread = threading.Thread(target=asyncio.run, args=[server.serve(sockets=[listener])])
    thread.start()
    try:
        listener.listen()
        with httpx.Client(base_url="http://127.0.0.1:%d" % listener.getsockname()[1], timeout=10) as client:  # noqa: UP031 - the port alone is formatted
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
