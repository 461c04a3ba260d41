"""Whether the service and what it leans on are well: terse for everyone, with particulars for staff."""

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
import psycopg
from fastapi import APIRouter, Depends, Request
from redis.exceptions import RedisError
from starlette.responses import Response

from shared.errors import ServiceDegraded
from shared.http.app import Principal, example, ok, staff

probes = APIRouter(tags=["Health"])
admin = APIRouter(tags=["Admin"])

_PATIENCE = 2.0
_OK, _ERROR = "ok", "error"
# What works in the background; a service is well while one process of each kind is.
_BACKGROUND = ("policies", "worker", "projector")

# Returns how many processes of each kind said within the last 30 seconds that they live.
SELECT_ALIVE = (
    """SELECT kind, count(*) FROM jobs.processes WHERE seen_at > now() - interval '30 seconds' GROUP BY kind"""
)
# Returns whether there are tables to read from.
SELECT_READY = "SELECT EXISTS (SELECT FROM projections.live)"


@dataclass(frozen=True)
class Health:
    """What the probes found; `alive` counts processes by kind, None where the database could not tell."""

    database: bool
    redis: bool
    alive: dict[str, int] | None

    @property
    def workers(self) -> bool:
        """Tell whether everything that works in the background is at work."""
        return self.alive is not None and all(self.alive.get(kind) for kind in _BACKGROUND)

    def services(self, database: str, workers: str) -> dict[str, str]:
        """Return service -> ok or error, under the names the caller's contract uses."""
        found = {database: self.database, "redis": self.redis, workers: self.workers}
        return {name: _OK if well else _ERROR for name, well in found.items()}


async def examine(request: Request) -> Health:
    """Ask every server at once, for two seconds at most."""
    alive, redis = await asyncio.gather(_alive(request), _redis_answers(request))
    return Health(alive is not None, redis, alive)


async def _alive(request: Request) -> dict[str, int] | None:
    try:
        async with asyncio.timeout(_PATIENCE), request.app.state.reader.connection() as conn:
            rows = await (await conn.execute(SELECT_ALIVE)).fetchall()
    except (psycopg.Error, OSError, TimeoutError):
        return None
    return dict(rows)


async def _redis_answers(request: Request) -> bool:
    if request.app.state.redis is None:
        return False
    try:
        async with asyncio.timeout(_PATIENCE):
            return bool(await request.app.state.redis.ping())
    except (RedisError, OSError, TimeoutError):
        return False


def _plain(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"example": body}}}


_HEALTH: dict[int | str, dict[str, Any]] = {
    200: _shown({"status": _OK, "services": {"db": _OK, "redis": _OK, "workers": _OK}}),
    503: _shown({"status": _ERROR, "failed_service": "redis"}) | {"description": "A service is down"},
}
_LIVE: dict[int | str, dict[str, Any]] = {200: _shown({"status": _OK})}
_READY: dict[int | str, dict[str, Any]] = {
    200: _shown({"status": _OK}),
    503: _shown({"status": _ERROR, "failed_service": "db"}) | {"description": "Not ready"},
}
_ADMIN: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "services": {"database": _OK, "redis": _OK, "celery_workers": _OK},
            "processes": {"api": 1, "policies": 1, "projector": 1, "worker": 2},
            "timestamp": "2025-11-03T10:30:00Z",
        }
    )
}


@probes.get("/health", responses=_HEALTH)
async def show_health(request: Request) -> Response:
    """Tell whether database, Redis and background processes are well, or which of them failed; without the envelope."""
    services = (await examine(request)).services("db", "workers")
    failed = [name for name, state in services.items() if state != _OK]
    if failed:
        return _plain({"status": _ERROR, "failed_service": failed[0]}, 503)
    return _plain({"status": _OK, "services": services})


@probes.get("/health/live", responses=_LIVE)
async def show_live() -> Response:
    """Tell that this process answers; who restarts processes asks this."""
    return _plain({"status": _OK})


@probes.get("/health/ready", responses=_READY)
async def show_ready(request: Request) -> Response:
    """Tell whether requests can be served: the database answers and has tables to read from."""
    try:
        async with asyncio.timeout(_PATIENCE), request.app.state.reader.connection() as conn:
            row = await (await conn.execute(SELECT_READY)).fetchone()
    except (psycopg.Error, OSError, TimeoutError):
        row = None
    if row != (True,):
        return _plain({"status": _ERROR, "failed_service": "db"}, 503)
    return _plain({"status": _OK})


@admin.get("/admin/health", responses=_ADMIN)
async def show_admin_health(request: Request, _: Annotated[Principal, Depends(staff)]) -> Response:
    """Return how each service is and how many processes of each kind are alive; 503 SERVICE_DEGRADED if one failed."""
    found = await examine(request)
    services = found.services("database", "celery_workers")
    if set(services.values()) != {_OK}:
        raise ServiceDegraded(details={"services": services, "processes": found.alive or {}}, retry_after=10)
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ok({"services": services, "processes": found.alive, "timestamp": now})
