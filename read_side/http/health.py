"""Health checks of the service, its servers and its background processes; details for staff only."""

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
import psycopg
from fastapi import APIRouter
from pydantic import BaseModel, Field
from redis.exceptions import RedisError
from starlette.responses import Response
from typing_extensions import TypeAliasType

from shared.errors import ServiceDegraded
from shared.http.answers import answers
from shared.http.app import ok
from shared.http.dependencies import Dependencies, Deps, Staff
from shared.runtime.business_day import ZONE

probes = APIRouter(tags=["Health"])
admin = APIRouter(tags=["Admin"])

_TIMEOUT = 2.0
_CLOCK_SKEW = 60.0
_OK, _ERROR = "ok", "error"
_CLOCK = "Only while it is wrong: behind the log, or set while the machine ran; `smartmarket clock show` says more"
ServiceState = TypeAliasType("ServiceState", Literal["ok", "error"])
LogIntegrity = TypeAliasType("LogIntegrity", Literal["intact", "altered", "unverified"])
ClockState = TypeAliasType("ClockState", Literal["behind", "jumped"])
# The kinds of background processes; the service is healthy while at least one of each is alive.
_BACKGROUND = ("policies", "worker", "projector")

# Counts the processes of each kind whose last heartbeat is at most 30 seconds old.
SELECT_ALIVE = (
    """SELECT kind, count(*) FROM jobs.processes WHERE seen_at > now() - interval '30 seconds' GROUP BY kind"""
)
# Selects what the last verification of the log said; no row before the first one.
SELECT_LOG_STATE = """SELECT CASE WHEN findings = '[]' THEN 'intact' ELSE 'altered' END FROM audit.verifications
    WHERE shard = 0"""
# Selects by how many seconds the clock is behind the log, and how far it jumped.
SELECT_CLOCK = "SELECT behind, jumped FROM jobs.clock_standing(%s)"
# Selects whether any read model can be queried.
SELECT_READY = "SELECT EXISTS (SELECT FROM projections.live)"


@dataclass(frozen=True)
class Health:
    """The results of the checks; `alive` counts processes by kind, None if the database did not answer.

    `log` is what the last verification of the log said: an altered log is named, and does not stop the service.
    `clock` says what is wrong with the clock, None if nothing is. The service works meanwhile.
    """

    database: bool
    redis: bool
    alive: dict[str, int] | None
    log: str = "unverified"
    clock: ClockState | None = None

    @property
    def workers(self) -> bool:
        """Return whether a background process of every kind is alive."""
        return self.alive is not None and all(self.alive.get(kind) for kind in _BACKGROUND)

    def wrong_clock(self) -> dict[str, str]:
        """Return what is wrong with the clock, nothing if it is right."""
        return {"clock": self.clock} if self.clock else {}

    def services(self, database: str, workers: str) -> dict[str, str]:
        """Return `ok` or `error` by service; the caller names the database and the background processes."""
        found = {database: self.database, "redis": self.redis, workers: self.workers}
        return {name: _OK if well else _ERROR for name, well in found.items()}


async def check(deps: Dependencies) -> Health:
    """Check every server concurrently, for at most two seconds."""
    (alive, log, clock), redis = await asyncio.gather(_in_database(deps), _redis_answers(deps))
    return Health(alive is not None, redis, alive, log, clock)


async def _in_database(deps: Dependencies) -> tuple[dict[str, int] | None, str, ClockState | None]:
    try:
        async with asyncio.timeout(_TIMEOUT), deps.reader.connection() as conn:
            rows = await (await conn.execute(SELECT_ALIVE)).fetchall()
            log = await (await conn.execute(SELECT_LOG_STATE)).fetchone()
            behind, jumped = await (await conn.execute(SELECT_CLOCK, (ZONE,))).fetchone() or (0, 0)
    except (psycopg.Error, OSError, TimeoutError):
        return None, "unverified", None
    clock: ClockState | None = "jumped" if jumped else "behind" if behind > _CLOCK_SKEW else None
    return dict(rows), log[0] if log else "unverified", clock


async def _redis_answers(deps: Dependencies) -> bool:
    if deps.redis is None:
        return False
    try:
        async with asyncio.timeout(_TIMEOUT):
            return bool(await deps.redis.ping())
    except (RedisError, OSError, TimeoutError):
        return False


def _plain(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"example": body}}}


_UNHEALTHY = _shown({"status": _ERROR, "failed_service": "redis"})


class Services(BaseModel):
    """The state of each service."""

    db: ServiceState
    redis: ServiceState
    workers: ServiceState


class Healthy(BaseModel):
    """Every service works."""

    status: Literal["ok"]
    services: Services
    log: LogIntegrity
    clock: Annotated[ClockState | None, Field(description=_CLOCK)] = None


class Alive(BaseModel):
    """The process or the service can answer."""

    status: Literal["ok"]


class Unhealthy(BaseModel):
    """A service failed; this is the first one found."""

    status: Literal["error"]
    failed_service: Literal["db", "redis", "workers"]


class AdminServices(BaseModel):
    """The state of each service."""

    database: ServiceState
    redis: ServiceState
    celery_workers: ServiceState


class AdminHealth(BaseModel):
    """The state of the services, and the number of live processes of each kind."""

    services: AdminServices
    processes: dict[str, int]
    log: LogIntegrity
    timestamp: dt.datetime
    clock: Annotated[ClockState | None, Field(description=_CLOCK)] = None


_HEALTH: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Healthy,
        **_shown({"status": _OK, "services": {"db": _OK, "redis": _OK, "workers": _OK}, "log": "intact"}),
    },
    503: {"model": Unhealthy, "description": "A service is down", **_UNHEALTHY},
}
_LIVE: dict[int | str, dict[str, Any]] = {200: {"model": Alive, **_shown({"status": _OK})}}
_READY: dict[int | str, dict[str, Any]] = {
    200: {"model": Alive, **_shown({"status": _OK})},
    503: {"model": Unhealthy, "description": "Not ready", **_shown({"status": _ERROR, "failed_service": "db"})},
}
_ADMIN = answers(
    AdminHealth,
    {
        "services": {"database": _OK, "redis": _OK, "celery_workers": _OK},
        "processes": {"api": 1, "policies": 1, "projector": 1, "worker": 2},
        "log": "intact",
        "timestamp": "2025-11-03T10:30:00Z",
    },
)


@probes.get("/health", responses=_HEALTH)
async def show_health(deps: Deps) -> Response:
    """Check database, Redis and background processes; names the first that failed. Answers without the envelope."""
    found = await check(deps)
    services = found.services("db", "workers")
    failed = [name for name, state in services.items() if state != _OK]
    if failed:
        return _plain({"status": _ERROR, "failed_service": failed[0]}, 503)
    return _plain({"status": _OK, "services": services, "log": found.log, **found.wrong_clock()})


@probes.get("/health/live", responses=_LIVE)
async def show_live() -> Response:
    """Answer while this process is alive: a liveness probe."""
    return _plain({"status": _OK})


@probes.get("/health/ready", responses=_READY)
async def show_ready(deps: Deps) -> Response:
    """Check that requests can be served: the database answers and has read models. A readiness probe."""
    try:
        async with asyncio.timeout(_TIMEOUT), deps.reader.connection() as conn:
            row = await (await conn.execute(SELECT_READY)).fetchone()
    except (psycopg.Error, OSError, TimeoutError):
        row = None
    if row != (True,):
        return _plain({"status": _ERROR, "failed_service": "db"}, 503)
    return _plain({"status": _OK})


@admin.get("/admin/health", responses=_ADMIN)
async def show_admin_health(deps: Deps, _: Staff) -> Response:
    """Return the state of each service and the number of processes of each kind; 503 SERVICE_DEGRADED if one failed."""
    found = await check(deps)
    services = found.services("database", "celery_workers")
    if set(services.values()) != {_OK}:
        raise ServiceDegraded(details={"services": services, "processes": found.alive or {}}, retry_after=10)
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    shown = {"services": services, "processes": found.alive, "log": found.log, "timestamp": now}
    return ok({**shown, **found.wrong_clock()})
